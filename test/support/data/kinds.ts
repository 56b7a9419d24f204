import { type Db, Long } from "mongodb";

/** A collection with an index of every kind, with all its options. */
export async function fillIndexes(db: Db): Promise<void> {
  const places = db.collection("places");
  await places.insertMany([
    { at: [1, 2], where: { type: "Point", coordinates: [1, 2] }, text: "quiet", n: 1 },
    { n: 2 },
  ]);
  await places.createIndexes([
    { key: { n: 1, "0": -1, a: 1 }, name: "numbers first" },
    { key: { n: 1 }, unique: true, name: "unique" },
    { key: { s: 1 }, sparse: true, name: "sparse" },
    { key: { p: 1 }, partialFilterExpression: { p: { $gt: new Long(5) } }, name: "partial" },
    { key: { hidden: 1 }, hidden: true, name: "hidden" },
    { key: { expires: 1 }, expireAfterSeconds: 3_600, name: "ttl" },
    { key: { c: 1 }, collation: { locale: "fr", strength: 1, numericOrdering: true }, name: "collated" },
    { key: { text: "text", title: "text" }, weights: { title: 7 }, default_language: "german", name: "text" },
    { key: { where: "2dsphere" }, name: "sphere" },
    { key: { at: "2d" }, min: -200, max: 200, bits: 20, name: "flat" },
    { key: { h: "hashed" }, name: "hashed" },
    { key: { "$**": 1 }, wildcardProjection: { a: 1, "b.c": 1 }, name: "wildcard" },
    { key: { "tags.$**": 1 }, name: "wildcard path" },
  ] as Parameters<typeof places.createIndexes>[0]);
}

/** Collections with every option. */
export async function fillOptions(db: Db): Promise<void> {
  await db.createCollection("validated", {
    validator: { $jsonSchema: { required: ["a"] }, "1": { $exists: true } },
    validationLevel: "moderate",
    validationAction: "warn",
  });
  await db.createCollection("clustered", {
    clusteredIndex: { key: { _id: 1 }, unique: true, name: "by id" },
  });
  await db.createCollection("expiring", {
    clusteredIndex: { key: { _id: 1 }, unique: true },
    expireAfterSeconds: 1_000,
  });
  await db.createCollection("images", { changeStreamPreAndPostImages: { enabled: true } });
  await db.collection("validated").insertOne({ wrong: true }, { bypassDocumentValidation: true });
  await db.collection<{ _id: number }>("clustered").insertMany([{ _id: 3 }, { _id: 1 }]);
}
