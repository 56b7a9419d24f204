import { type Decimal128, Double, Int32, Long, type ObjectId } from "mongodb";
import { money, objectId, type Random } from "./random.ts";

const OPENED = Date.UTC(2024, 0, 2, 8);
const MINUTE = 60_000;
const STATUSES = ["new", "packed", "paid", "paid", "sent", "sent", "sent", "cancelled"] as const;
const COLOURS = ["amber", "slate", "moss", "chalk"];
const CUSTOMER = 1;
const ORDER = 2;

export interface Product {
  readonly _id: string;
  readonly name: string;
  readonly price: Decimal128;
  readonly [field: string]: unknown;
}

export interface Order {
  readonly _id: ObjectId;
  readonly number: Long;
  readonly customer: ObjectId;
  readonly status: (typeof STATUSES)[number];
  readonly placedAt: Date;
  readonly total: Decimal128;
  readonly [field: string]: unknown;
}

export function product(random: Random, number: number): Product {
  const cents = random.whole(95, 24_999);
  return {
    _id: `SKU-${String(number).padStart(5, "0")}`,
    name: `${random.word(2)} ${random.pick(["lamp", "kettle", "stool", "rug", "clock"])}`,
    description: random.text(12),
    price: money(cents),
    cents: new Int32(cents),
    stock: Long.fromNumber(random.whole(0, 5_000)),
    weightKg: new Double(random.whole(1, 400) / 16),
    attributes: {
      colour: random.pick(COLOURS),
      [`size${random.pick(["Cm", "Inch"])}`]: { width: random.whole(5, 200), height: random.whole(5, 200) },
    },
    tags: Array.from({ length: random.whole(0, 4) }, () => random.word(2).toLowerCase()),
  };
}

export function customer(random: Random, number: number): Record<string, unknown> {
  const since = new Date(OPENED + number * 7 * MINUTE);
  const name = `${random.word(2)} ${random.word(3)}`;
  return {
    _id: customerId(number),
    email: `customer${number}@shop.example`,
    name,
    since,
    ...(random.chance(0.4) ? { phone: `+00 ${random.whole(1_000_000, 9_999_999)}` } : {}),
    address: {
      street: `${random.word(3)} ${random.whole(1, 180)}`,
      city: random.word(2),
      country: null,
      location: { type: "Point", coordinates: [random.next() * 20 - 5, 40 + random.next() * 15] },
    },
    points: Long.fromNumber(random.whole(0, 90_000)),
    newsletter: random.chance(0.5),
  };
}

/** The `number`th order of a shop with so many customers and these products. */
export function order(
  random: Random,
  number: number,
  shop: { readonly customers: number; readonly products: readonly Product[] },
): Order {
  const placedAt = new Date(OPENED + number * 5 * MINUTE + random.whole(0, 4 * MINUTE));
  const items = Array.from({ length: random.whole(1, 3) }, () =>
    lineItem(random, random.pick(shop.products)),
  );
  const cents = items.reduce((sum, { item }) => sum + item.cents, 0);
  return {
    _id: objectId(ORDER, number, placedAt),
    number: Long.fromNumber(20_240_000_000 + number),
    customer: customerId(random.whole(0, shop.customers - 1)),
    status: random.pick(STATUSES),
    placedAt,
    changedAt: new Date(placedAt.getTime() + random.whole(1, 3 * 24 * 60) * MINUTE),
    items: items.map(({ line }) => line),
    total: money(cents),
    shipping: {
      method: random.pick(["standard", "express", "pickup"]),
      price: money(random.pick([0, 490, 990])),
      address: { street: `${random.word(3)} ${random.whole(1, 180)}`, city: random.word(2) },
    },
    ...(random.chance(0.15) ? { coupon: random.word(3).toUpperCase() } : {}),
    ...(random.chance(0.3) ? { notes: random.text(6) } : {}),
    views: Long.fromNumber(random.whole(1, 40)),
  };
}

export function invoice(of: Order): Record<string, unknown> {
  return {
    _id: `INV-${of.number}`,
    order: of._id,
    customer: of.customer,
    total: of.total,
    issuedOn: of.placedAt,
    paid: true,
  };
}

function lineItem(random: Random, sold: Product) {
  const quantity = random.whole(1, 4);
  const line = { sku: sold._id, name: sold.name, quantity: new Int32(quantity), price: sold.price };
  return { line, item: { cents: Number(sold.cents) * quantity } };
}

/** Customers' ids follow from their number, so that orders can name one without keeping them all. */
function customerId(number: number): ObjectId {
  return objectId(CUSTOMER, number, new Date(OPENED + number * 7 * MINUTE));
}
