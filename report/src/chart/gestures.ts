// Wheel and drag on a chart whose width is a span of time.
import { bounded } from "./canvas";

export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** The span after it was made `factor` times as long, with the instant at `part` of its width staying where it is. */
export function zoomed(span: Span, factor: number, part: number, whole: number, least: number): readonly [number, number] {
  const length = span.end - span.begin;
  const wanted = Math.max(least, Math.min(whole, length * factor));
  const begin = span.begin + (length - wanted) * part;
  return bounded(begin, begin + wanted, whole, least);
}

/** The span moved by a part of its own length. */
export function moved(span: Span, parts: number, whole: number): readonly [number, number] {
  const by = (span.end - span.begin) * parts;
  return bounded(span.begin + by, span.end + by, whole, span.end - span.begin);
}

/** How much one turn of the wheel zooms. */
function wheelFactor(event: WheelEvent): number {
  const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
  return Math.exp(Math.max(-200, Math.min(200, pixels)) * (event.ctrlKey ? 0.01 : 0.003));
}

/** The wheel zooms around the pointer, sideways it moves; with shift it scrolls. Both are told in parts of the width. */
export function watchWheel(
  element: HTMLElement,
  zoom: (factor: number, part: number) => void,
  pan: (parts: number) => void,
): void {
  element.addEventListener(
    "wheel",
    (event) => {
      if (event.shiftKey) {
        return;
      }
      event.preventDefault();
      const width = Math.max(element.clientWidth, 1);
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        pan(event.deltaX / width);
      } else {
        zoom(wheelFactor(event), (event.clientX - element.getBoundingClientRect().left) / width);
      }
    },
    { passive: false },
  );
}

export interface DragHandlers {
  /** Pixels from the element's left and top. `distance` is how far the pointer has come since it went down. */
  move?(x: number, y: number, start: { x: number; y: number }, event: PointerEvent): void;
  end?(x: number, y: number, start: { x: number; y: number }, event: PointerEvent): void;
  click?(x: number, y: number, event: PointerEvent): void;
}

/** Pixels that a hand may tremble in a click. */
const CLICK_PIXELS = 4;

/** Tells clicks from drags. */
export function watchDrags(element: HTMLElement, handlers: DragHandlers): void {
  element.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) {
      return;
    }
    const at = (event: PointerEvent): { x: number; y: number } => {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const start = at(down);
    if (start.x >= element.clientWidth || start.y >= element.clientHeight) {
      return; // on a scroll bar
    }
    let dragging = false;
    try {
      element.setPointerCapture(down.pointerId);
    } catch {
      // A pointer that is gone already.
    }
    const onMove = (event: PointerEvent): void => {
      const { x, y } = at(event);
      dragging ||= Math.abs(x - start.x) > CLICK_PIXELS || Math.abs(y - start.y) > CLICK_PIXELS;
      if (dragging) {
        handlers.move?.(x, y, start, event);
      }
    };
    const onUp = (event: PointerEvent): void => {
      stop();
      const { x, y } = at(event);
      if (dragging) {
        handlers.end?.(x, y, start, event);
      } else {
        handlers.click?.(x, y, event);
      }
    };
    const stop = (): void => {
      element.removeEventListener("pointermove", onMove);
      element.removeEventListener("pointerup", onUp);
      element.removeEventListener("pointercancel", stop);
    };
    element.addEventListener("pointermove", onMove);
    element.addEventListener("pointerup", onUp);
    element.addEventListener("pointercancel", stop);
  });
}
