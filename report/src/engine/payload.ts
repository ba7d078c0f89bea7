// The parts of the page that are data: base64 of raw deflate, in script elements of a data type.
import { Engine } from "./engine";
import { Module } from "./module";

declare global {
  interface Uint8ArrayConstructor {
    /** ES2026; older browsers lack it. */
    fromBase64?(text: string): Uint8Array<ArrayBuffer>;
  }
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (Uint8Array.fromBase64) {
    return Uint8Array.fromBase64(text);
  }
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}

/** Hands the inflated bytes to `take`, piece by piece. */
async function inflate(deflated: Uint8Array<ArrayBuffer>, take: (piece: Uint8Array) => void): Promise<void> {
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    take(value);
  }
}

export async function inflated(deflated: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  await inflate(deflated, (piece) => {
    pieces.push(piece);
    size += piece.length;
  });
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The columns, inflated straight into the module's memory. `size` is what they inflate to. */
export async function openColumns(module: Module, deflated: Uint8Array<ArrayBuffer>, size: number): Promise<Engine> {
  return Engine.open(module, size, async (bytes, address) => {
    let at = address;
    await inflate(deflated, (piece) => {
      if (at + piece.length > address + size) {
        throw new Error("The recording in this page is longer than it says.");
      }
      bytes().set(piece, at);
      at += piece.length;
    });
  });
}

/** Lines of source files: by the string number of the file, then by line number. */
export type SourceText = ReadonlyMap<number, ReadonlyMap<number, string>>;

/** The pieces of src/render/source_text.h. */
export function sourceText(bytes: Uint8Array): SourceText {
  const files = new Map<number, Map<number, string>>();
  const decoder = new TextDecoder();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        break;
      }
    }
    return value;
  };
  while (at < bytes.length) {
    const file = varint();
    let line = varint();
    const size = varint();
    const text = decoder.decode(bytes.subarray(at, at + size));
    at += size;
    let lines = files.get(file);
    if (lines === undefined) {
      lines = new Map();
      files.set(file, lines);
    }
    for (const content of text.replace(/\r?\n$/u, "").split(/\r?\n/u)) {
      lines.set(line++, content);
    }
  }
  return files;
}

/** What the page was asked to open with (src/render/html.c). */
export interface PageOptions {
  readonly mode: number;
  readonly begin: number;
  readonly end: number;
  readonly threshold: number;
  readonly showAll: boolean;
  readonly show: readonly string[];
  readonly hide: readonly string[];
  readonly threads: readonly number[];
  readonly merge: boolean;
  /** Whose text it carries, as `--source` has it. */
  readonly source: string;
  /** How a shell names it in `stacklapse view`; null: it is in no file. */
  readonly recording: string | null;
  /** A state, as the address has it; empty: none was asked for. */
  readonly at: string;
  /** Of what was recorded, where the recording's own does not say it; else empty. */
  readonly title: string;
  /** To what the page stands in for, relative to it; else empty. */
  readonly link: string;
  /** What else is known of it: name, text, name, text. */
  readonly about: readonly string[];
}

export interface Page {
  readonly engine: Engine;
  readonly source: SourceText;
  readonly options: PageOptions;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`This page is incomplete: it has no ${id}.`);
  }
  return found;
}

function payload(id: string): Uint8Array<ArrayBuffer> {
  const script = element(id);
  const bytes = fromBase64(script.textContent.trim());
  script.remove();
  return bytes;
}

/** Everything that the page carries. */
export async function openPage(): Promise<Page> {
  const options = JSON.parse(element("stacklapse-options").textContent) as PageOptions;
  const size = Number(element("stacklapse-columns").dataset["size"]);
  const columns = payload("stacklapse-columns");
  const module = await Module.load(await inflated(payload("stacklapse-module")));
  const engine = await openColumns(module, columns, size);
  const source = payload("stacklapse-source");
  return { engine, options, source: source.length > 0 ? sourceText(await inflated(source)) : new Map() };
}
