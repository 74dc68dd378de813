"""The sandbox's own page, where a person plays the buyer at their bank: yes or no.

It belongs to the sandbox, not to the order book: what was said here the order book learns by
asking the gateway, as it would of any other. The page's token is the only credential.
"""

from openorders.domain.ids import StoreId
from openorders.domain.store_settings import Store
from openorders.gateways.payments import UnknownGatewayKind
from openorders.gateways.sandbox import SandboxGateway, SandboxPage
from openorders.store import stores
from openorders.usecases.context import Services


async def open_sandbox_page(
    services: Services, store_id: StoreId, gateway: str, token: str
) -> tuple[Store, SandboxPage] | None:
    """The page of that token, and whose it is; None when there is none."""
    account = await _account(services, store_id, gateway)
    if account is None:
        return None
    store, sandbox = account
    page = await sandbox.page(token)
    return None if page is None else (store, page)


async def answer_sandbox_page(
    services: Services, store_id: StoreId, gateway: str, token: str, *, accept: bool
) -> SandboxPage | None:
    """Say yes or no, once: the first answer stays. The page as it is then; None without one."""
    account = await _account(services, store_id, gateway)
    return None if account is None else await account[1].decide(token, accept=accept)


async def _account(
    services: Services, store_id: StoreId, gateway: str
) -> tuple[Store, SandboxGateway] | None:
    async with services.database.connection() as connection:
        store = await stores.read(connection, store_id)
    if store is None or store.gateway(gateway) is None:
        return None
    try:
        account = services.gateways.of(store, gateway)
    except UnknownGatewayKind:
        return None
    return (store, account) if isinstance(account, SandboxGateway) else None
