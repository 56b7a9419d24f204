import { typeName } from "../../bson/type-name.ts";
import type { FieldDifference } from "../../model/reporter.ts";
import { laterNote } from "./look-alike.ts";
import { type PointerPlace, pointerTo } from "./pointer.ts";
import { type StoredValue, valueText } from "./value-text.ts";

const MOST = 20;

/** The first fields in which two documents differ; the others are counted. */
export class FieldList {
  readonly fields: FieldDifference[] = [];
  more = 0;
  readonly #source: Buffer;
  readonly #target: Buffer;
  readonly #values: boolean;

  constructor(source: Buffer, target: Buffer, values: boolean) {
    this.#source = source;
    this.#target = target;
    this.#values = values;
  }

  /** `note` is asked for only when the field is one of the first. */
  add(
    place: PointerPlace | undefined,
    one: StoredValue | undefined,
    other: StoredValue | undefined,
    note: () => string | undefined,
  ): void {
    if (this.fields.length === MOST) {
      this.more++;
      return;
    }
    const values = this.#values ? this.#valuesOf(one, other) : {};
    const said = note() ?? this.#laterNote(one, other, values);
    this.fields.push({
      path: pointerTo(place),
      source: one && typeName(one.type),
      target: other && typeName(other.type),
      ...values,
      ...(said === undefined ? {} : { note: said }),
    });
  }

  #valuesOf(one: StoredValue | undefined, other: StoredValue | undefined): Values {
    return {
      ...(one === undefined ? {} : { sourceValue: valueText(this.#source, one) }),
      ...(other === undefined ? {} : { targetValue: valueText(this.#target, other) }),
    };
  }

  #laterNote(
    one: StoredValue | undefined,
    other: StoredValue | undefined,
    values: Values,
  ): string | undefined {
    const areEqual = values.sourceValue !== undefined && values.sourceValue === values.targetValue;
    return one && other && one.type === other.type && areEqual
      ? laterNote(this.#source, one, this.#target, other)
      : undefined;
  }
}

type Values = Pick<FieldDifference, "sourceValue" | "targetValue">;
