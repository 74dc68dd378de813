"""Letters in Italian."""

from typing import Final

from openorders.domain.mails import Template
from openorders.usecases.letter_texts import Labels, Texts

ITALIAN: Final = Texts(
    language="it",
    marks=(".", ","),
    months=(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre"
    ),
    day="{day} {month} {year}",
    first="1º",
    dear="Buongiorno {name},",
    hello="Buongiorno,",
    regards="Cordiali saluti,",
    subjects={
        Template.PLACED: "Abbiamo ricevuto il suo ordine {number}",
        Template.PAYMENT_PENDING: "Il suo ordine {number} è in attesa di pagamento",
        Template.PAID: "Il suo ordine {number} è stato pagato",
        Template.PROCESSING: "Il suo ordine {number} è in preparazione",
        Template.SHIPPED: "Il suo ordine {number} è stato spedito",
        Template.DELIVERED: "Il suo ordine {number} è stato consegnato",
        Template.COMPLETED: "Il suo ordine {number} è completato",
        Template.CANCELLED: "Il suo ordine {number} è stato annullato",
        Template.REFUNDED: "Rimborso per il suo ordine {number}",
    },
    leads={
        Template.PLACED: "Grazie. Abbiamo ricevuto il suo ordine.",
        Template.PAYMENT_PENDING: "Abbiamo ricevuto il suo ordine e attendiamo il pagamento.",
        Template.PAID: "Grazie. Abbiamo ricevuto il suo pagamento.",
        Template.PROCESSING: "Stiamo preparando il suo ordine.",
        Template.SHIPPED: "Il suo ordine è in viaggio.",
        Template.DELIVERED: "Il suo ordine è stato consegnato.",
        Template.COMPLETED: "Il suo ordine è completato. Grazie.",
        Template.CANCELLED: "Il suo ordine è stato annullato.",
        Template.REFUNDED: "Le abbiamo rimborsato {amount}.",
    },
    approved_subject="Il pagamento del suo ordine {number} è autorizzato",
    approved_lead="Grazie. Il suo pagamento è stato autorizzato.",
    awaits_payment="Il pagamento non ci è ancora pervenuto.",
    money_goes_back="Quanto ha pagato le viene restituito.",
    bank_takes_days="Possono passare alcuni giorni prima che la sua banca lo mostri.",
    labels=Labels(
        order="Ordine {number}",
        placed_on="Effettuato il {date}",
        subtotal="Subtotale",
        discount="Sconto",
        shipping="Spedizione",
        total="Totale",
        carrier="Corriere",
        tracking_number="Numero di spedizione",
        track="Segui la spedizione",
        pay="Paga ora",
        refunded="Questo rimborso",
        refunded_in_all="Rimborsato in totale",
    ),
)
