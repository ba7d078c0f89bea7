// A canvas that fills its box at the screen's own resolution, and what both charts draw with.

export interface Surface {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
}

/** Makes the canvas as large as its element in device pixels; coordinates stay in CSS pixels. */
export function surface(canvas: HTMLCanvasElement, width: number, height: number): Surface | undefined {
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null || width <= 0 || height <= 0) {
    return undefined;
  }
  const ratio = window.devicePixelRatio;
  const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

export const LABEL_FONT = '12px ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
export const SMALL_FONT = '11px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif';

/** No label is longer than this, however wide its box. */
const LABEL_MAX = 160;

/** Cuts labels to the width of their boxes. The font has one width for all common characters. */
export class Labels {
  readonly #context: CanvasRenderingContext2D;
  readonly #character: number;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
    context.font = LABEL_FONT;
    this.#character = context.measureText("m").width;
  }

  /** Draws as much of `text` as fits between the two; nothing when that is less than two characters. */
  draw(text: string, left: number, right: number, baseline: number): void {
    const room = Math.floor((right - left) / this.#character);
    if (room < 2) {
      return;
    }
    const short = text.length > LABEL_MAX ? text.slice(0, LABEL_MAX) : text;
    this.#context.fillText(short.length <= room ? short : `${short.slice(0, room - 1)}…`, left, baseline);
  }
}

/** A canvas' drawing, asked for many times and done once a frame. */
export function oncePerFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        draw();
      });
    }
  };
}

/** The span of `wanted` at most `[0, whole]` and at least `least` long. */
export function bounded(begin: number, end: number, whole: number, least: number): readonly [number, number] {
  const length = Math.min(whole, Math.max(end - begin, least));
  const from = Math.max(0, Math.min(begin, whole - length));
  return [from, from + length];
}

/** Steps for the ticks of an axis: 1, 2 or 5 times a power of ten, so that there are about `wanted` of them. */
export function tickStep(span: number, wanted: number): number {
  const rough = span / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10;
  return factor * power;
}

/** Draws the ticks from `begin` to `end` along the top; a label that would not fit is left out. */
export function drawTicks(
  surface: Surface,
  span: { readonly begin: number; readonly end: number; readonly whole: number },
  look: { readonly pixels: number; readonly height: number; readonly line: string; readonly dim: string },
): void {
  const { context, width } = surface;
  const length = span.end - span.begin;
  context.font = SMALL_FONT;
  context.textBaseline = "middle";
  const step = tickStep(length, width / look.pixels);
  for (let tick = Math.ceil(span.begin / step) * step; tick <= span.end; tick += step) {
    const x = ((tick - span.begin) / length) * width;
    const label = tickLabel(tick, step, span.whole);
    context.fillStyle = look.line;
    context.fillRect(x, 0, 1, look.height);
    context.fillStyle = look.dim;
    if (x + 4 + context.measureText(label).width <= width) {
      context.fillText(label, x + 4, look.height / 2);
    }
  }
}

/** The instant of a tick, with as many decimals as the step between ticks needs. */
export function tickLabel(ns: number, step: number, whole: number): string {
  const [unit, unitNs] = whole >= 1e9 ? ["s", 1e9] : whole >= 1e6 ? ["ms", 1e6] : ["µs", 1e3];
  const decimals = Math.max(0, Math.min(9, Math.ceil(-Math.log10(step / unitNs) - 1e-9)));
  return `${(ns / unitNs).toFixed(decimals)} ${unit}`;
}
