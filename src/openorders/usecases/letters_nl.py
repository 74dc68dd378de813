"""Letters in Dutch."""

from typing import Final

from openorders.domain.mails import Template
from openorders.usecases.letter_texts import Labels, Texts

DUTCH: Final = Texts(
    language="nl",
    marks=(".", ","),
    months=(
        "januari februari maart april mei juni juli augustus september oktober november december"
    ),
    day="{day} {month} {year}",
    dear="Beste {name},",
    hello="Hallo,",
    regards="Met vriendelijke groet,",
    subjects={
        Template.PLACED: "We hebben uw bestelling {number} ontvangen",
        Template.PAYMENT_PENDING: "Uw bestelling {number} wacht op betaling",
        Template.PAID: "Uw bestelling {number} is betaald",
        Template.PROCESSING: "Uw bestelling {number} wordt voorbereid",
        Template.SHIPPED: "Uw bestelling {number} is verzonden",
        Template.DELIVERED: "Uw bestelling {number} is bezorgd",
        Template.COMPLETED: "Uw bestelling {number} is afgerond",
        Template.CANCELLED: "Uw bestelling {number} is geannuleerd",
        Template.REFUNDED: "Terugbetaling voor uw bestelling {number}",
    },
    leads={
        Template.PLACED: "Bedankt. We hebben uw bestelling ontvangen.",
        Template.PAYMENT_PENDING: "We hebben uw bestelling ontvangen en wachten op de betaling.",
        Template.PAID: "Bedankt. We hebben uw betaling ontvangen.",
        Template.PROCESSING: "We maken uw bestelling klaar.",
        Template.SHIPPED: "Uw bestelling is onderweg.",
        Template.DELIVERED: "Uw bestelling is bezorgd.",
        Template.COMPLETED: "Uw bestelling is afgerond. Bedankt.",
        Template.CANCELLED: "Uw bestelling is geannuleerd.",
        Template.REFUNDED: "We hebben {amount} aan u terugbetaald.",
    },
    approved_subject="De betaling van uw bestelling {number} is goedgekeurd",
    approved_lead="Bedankt. Uw betaling is goedgekeurd.",
    awaits_payment="Uw betaling hebben we nog niet ontvangen.",
    money_goes_back="U krijgt terug wat u hebt betaald.",
    bank_takes_days="Het kan enkele dagen duren voordat uw bank dit laat zien.",
    labels=Labels(
        order="Bestelling {number}",
        placed_on="Geplaatst op {date}",
        subtotal="Subtotaal",
        discount="Korting",
        shipping="Verzending",
        total="Totaal",
        carrier="Vervoerder",
        tracking_number="Volgnummer",
        track="Volg uw pakket",
        pay="Nu betalen",
        refunded="Deze terugbetaling",
        refunded_in_all="In totaal terugbetaald",
    ),
)
