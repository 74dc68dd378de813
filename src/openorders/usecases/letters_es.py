"""Letters in Spanish."""

from typing import Final

from openorders.domain.mails import Template
from openorders.usecases.letter_texts import Labels, Texts

SPANISH: Final = Texts(
    language="es",
    marks=(".", ","),
    months=(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    ),
    day="{day} de {month} de {year}",
    dear="Hola, {name}:",
    hello="Hola:",
    regards="Un cordial saludo,",
    subjects={
        Template.PLACED: "Hemos recibido su pedido {number}",
        Template.PAYMENT_PENDING: "Su pedido {number} está pendiente de pago",
        Template.PAID: "Su pedido {number} está pagado",
        Template.PROCESSING: "Estamos preparando su pedido {number}",
        Template.SHIPPED: "Su pedido {number} ha sido enviado",
        Template.DELIVERED: "Su pedido {number} ha sido entregado",
        Template.COMPLETED: "Su pedido {number} está completado",
        Template.CANCELLED: "Su pedido {number} ha sido cancelado",
        Template.REFUNDED: "Reembolso de su pedido {number}",
    },
    leads={
        Template.PLACED: "Gracias. Hemos recibido su pedido.",
        Template.PAYMENT_PENDING: "Hemos recibido su pedido y estamos a la espera del pago.",
        Template.PAID: "Gracias. Hemos recibido su pago.",
        Template.PROCESSING: "Estamos preparando su pedido.",
        Template.SHIPPED: "Su pedido está en camino.",
        Template.DELIVERED: "Su pedido ha sido entregado.",
        Template.COMPLETED: "Su pedido está completado. Gracias.",
        Template.CANCELLED: "Su pedido ha sido cancelado.",
        Template.REFUNDED: "Le hemos reembolsado {amount}.",
    },
    approved_subject="El pago de su pedido {number} está autorizado",
    approved_lead="Gracias. Su pago ha sido autorizado.",
    awaits_payment="Su pago está todavía pendiente.",
    money_goes_back="Le devolvemos lo que ha pagado.",
    bank_takes_days="Su banco puede tardar unos días en mostrarlo.",
    labels=Labels(
        order="Pedido {number}",
        placed_on="Realizado el {date}",
        subtotal="Subtotal",
        discount="Descuento",
        shipping="Envío",
        total="Total",
        carrier="Transportista",
        tracking_number="Número de seguimiento",
        track="Seguir el envío",
        pay="Pagar ahora",
        refunded="Este reembolso",
        refunded_in_all="Reembolsado en total",
    ),
)
