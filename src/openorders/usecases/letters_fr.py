"""Letters in French."""

from typing import Final

from openorders.domain.mails import Template
from openorders.usecases.letter_texts import Labels, Texts

FRENCH: Final = Texts(
    language="fr",
    marks=("\N{NO-BREAK SPACE}", ","),
    months=("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    day="{day} {month} {year}",
    first="1er",
    dear="Bonjour {name},",
    hello="Bonjour,",
    regards="Cordialement,",
    subjects={
        Template.PLACED: "Nous avons bien reçu votre commande {number}",
        Template.PAYMENT_PENDING: "Votre commande {number} est en attente de paiement",
        Template.PAID: "Votre commande {number} est payée",
        Template.PROCESSING: "Votre commande {number} est en préparation",
        Template.SHIPPED: "Votre commande {number} a été expédiée",
        Template.DELIVERED: "Votre commande {number} a été livrée",
        Template.COMPLETED: "Votre commande {number} est terminée",
        Template.CANCELLED: "Votre commande {number} a été annulée",
        Template.REFUNDED: "Remboursement pour votre commande {number}",
    },
    leads={
        Template.PLACED: "Merci. Nous avons bien reçu votre commande.",
        Template.PAYMENT_PENDING: "Nous avons reçu votre commande et attendons son paiement.",
        Template.PAID: "Merci. Nous avons bien reçu votre paiement.",
        Template.PROCESSING: "Nous préparons votre commande.",
        Template.SHIPPED: "Votre commande est en route.",
        Template.DELIVERED: "Votre commande a été livrée.",
        Template.COMPLETED: "Votre commande est terminée. Merci.",
        Template.CANCELLED: "Votre commande a été annulée.",
        Template.REFUNDED: "Nous vous avons remboursé {amount}.",
    },
    approved_subject="Le paiement de votre commande {number} est autorisé",
    approved_lead="Merci. Votre paiement a été autorisé.",
    awaits_payment="Elle est encore en attente de votre paiement.",
    money_goes_back="Les sommes que vous avez payées vous sont remboursées.",
    bank_takes_days="Quelques jours peuvent s'écouler avant que votre banque ne l'affiche.",
    labels=Labels(
        order="Commande {number}",
        placed_on="Passée le {date}",
        subtotal="Sous-total",
        discount="Remise",
        shipping="Livraison",
        total="Total",
        carrier="Transporteur",
        tracking_number="Numéro de suivi",
        track="Suivre le colis",
        pay="Payer maintenant",
        refunded="Ce remboursement",
        refunded_in_all="Remboursé au total",
    ),
)
