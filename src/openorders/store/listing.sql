-- name: orders_of_page
-- The orders of a page (id, place), with their lines, in the order in which the page names them.
-- `store.criteria` puts the page in front, so that lines are read for these orders only.
select o.id, o.number, o.customer_id, c.name as customer_name, c.email as customer_email,
    o.partner_name, o.customer_reference, o.currency, o.minor_digits,
    o.subtotal, o.discount, o.shipping, o.taxes, o.discount_code,
    o.progress, o.payment, o.fulfilment, o.payment_asked,
    o.shipping_method, o.estimated_delivery, o.shipping_address, o.billing_address,
    o.payment_method, o.payment_gateway, o.payment_token, o.notes, o.shipment, o.cancellation,
    o.created_at, o.updated_at, o.completed_at, o.version,
    (
        select json_agg(json_build_object(
            'id', l.id, 'product_id', l.product_id, 'variant_id', l.variant_id,
            'product_name', l.product_name, 'variant_name', l.variant_name, 'sku', l.sku,
            'image', l.image, 'unit_price', l.unit_price, 'quantity', l.quantity,
            'discount_share', l.discount_share, 'tax_shares', l.tax_shares, 'state', l.state
        ) order by l.position)
        from order_lines l where l.store_id = o.store_id and l.order_id = o.id
    ) as lines
from page
join orders o on o.store_id = :store_id and o.id = page.id
join customers c on c.store_id = o.store_id and c.id = o.customer_id
order by page.place;
