"""Letters in German."""

from typing import Final

from openorders.domain.mails import Template
from openorders.usecases.letter_texts import Labels, Texts

GERMAN: Final = Texts(
    language="de",
    marks=(".", ","),
    months=("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    day="{day}. {month} {year}",
    dear="Guten Tag {name},",
    hello="Guten Tag,",
    regards="Mit freundlichen Grüßen",
    subjects={
        Template.PLACED: "Wir haben Ihre Bestellung {number} erhalten",
        Template.PAYMENT_PENDING: "Ihre Bestellung {number} ist noch nicht bezahlt",
        Template.PAID: "Ihre Bestellung {number} ist bezahlt",
        Template.PROCESSING: "Ihre Bestellung {number} wird vorbereitet",
        Template.SHIPPED: "Ihre Bestellung {number} ist unterwegs",
        Template.DELIVERED: "Ihre Bestellung {number} wurde zugestellt",
        Template.COMPLETED: "Ihre Bestellung {number} ist abgeschlossen",
        Template.CANCELLED: "Ihre Bestellung {number} wurde storniert",
        Template.REFUNDED: "Erstattung zu Ihrer Bestellung {number}",
    },
    leads={
        Template.PLACED: "vielen Dank. Ihre Bestellung ist bei uns eingegangen.",
        Template.PAYMENT_PENDING: "wir haben Ihre Bestellung erhalten und warten auf die Zahlung.",
        Template.PAID: "vielen Dank. Ihre Zahlung ist bei uns eingegangen.",
        Template.PROCESSING: "wir bereiten Ihre Bestellung vor.",
        Template.SHIPPED: "Ihre Bestellung ist auf dem Weg zu Ihnen.",
        Template.DELIVERED: "Ihre Bestellung wurde zugestellt.",
        Template.COMPLETED: "Ihre Bestellung ist abgeschlossen. Vielen Dank.",
        Template.CANCELLED: "Ihre Bestellung wurde storniert.",
        Template.REFUNDED: "wir haben Ihnen {amount} erstattet.",
    },
    approved_subject="Die Zahlung für Ihre Bestellung {number} ist genehmigt",
    approved_lead="vielen Dank. Ihre Zahlung wurde genehmigt.",
    awaits_payment="Ihre Zahlung steht noch aus.",
    money_goes_back="Was Sie bezahlt haben, erhalten Sie zurück.",
    bank_takes_days="Bis Ihre Bank den Betrag anzeigt, kann es einige Tage dauern.",
    labels=Labels(
        order="Bestellung {number}",
        placed_on="Bestellt am {date}",
        subtotal="Zwischensumme",
        discount="Rabatt",
        shipping="Versand",
        total="Gesamtbetrag",
        carrier="Versand durch",
        tracking_number="Sendungsnummer",
        track="Sendung verfolgen",
        pay="Jetzt bezahlen",
        refunded="Diese Erstattung",
        refunded_in_all="Insgesamt erstattet",
    ),
)
