// A record whose fields are signals: who reads a field is told when that field changes, and of no other.
import { batch, createSignal } from "solid-js";

export function createRecord<T extends object>(initial: T): [Readonly<T>, (change: Partial<T>) => void] {
  const setters = new Map<string, (value: unknown) => unknown>();
  const record: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(initial)) {
    const [get, set] = createSignal<unknown>(value);
    setters.set(name, (changed) => set(() => changed));
    Object.defineProperty(record, name, { get, enumerable: true });
  }
  const set = (change: Partial<T>): void => {
    batch(() => {
      for (const [name, value] of Object.entries(change)) {
        setters.get(name)?.(value);
      }
    });
  };
  return [record as Readonly<T>, set];
}
