"""A double of Stripe for trying things out by hand: `python -m tests.gateways.stripe_double`.

Any key that starts with `sk_test_` opens an account. With `--endpoint URL --secret whsec_…` events
go there by themselves.
"""

import argparse
import asyncio
import contextlib

from tests.gateways.stripe_double.double import StripeDouble
from tests.gateways.stripe_double.events import Delivery, Endpoint
from tests.gateways.stripe_double.localstripe_process import running_localstripe


async def _serve(localstripe_url: str, given: argparse.Namespace) -> None:
    async with StripeDouble.running(localstripe_url, port=given.port) as double:
        double.events.delivery = Delivery.SOON
        if given.endpoint:
            double.events.endpoints.append(Endpoint(url=given.endpoint, secret=given.secret))
        print(f"OPENORDERS_STRIPE_URL={double.url}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--endpoint", help="where events are sent")
    parser.add_argument("--secret", default="whsec_double", help="what they are signed with")
    given = parser.parse_args()
    with running_localstripe() as url, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(url, given))


if __name__ == "__main__":
    main()
