// Small parts that several views share.
import { createSignal, onCleanup } from "solid-js";
import type { Accessor, JSX } from "solid-js";

import type { Amount } from "../engine/module";
import { share, time } from "../format";
import type { Model } from "../model";

/** How hot a share is, as a class: the steps that the text report colours by. */
export function heat(part: number): string {
  if (part >= 0.6) {
    return "hot";
  }
  if (part >= 0.2) {
    return "warm";
  }
  return part >= 0.05 ? "mild" : "cold";
}

/** An amount for those who listen: "1.61 s, 70.2 %". */
export function spoken(model: Model, amount: Amount): string {
  return `${time(amount.ns)}, ${share(model.share(amount))}`;
}

/** Rows that are printed of a table, of which otherwise only those in sight exist. */
export const PRINTED_MAX = 5000;

/** Whether the page is being printed. */
export function usePrinting(): Accessor<boolean> {
  const [printing, setPrinting] = createSignal(false);
  const follow = (event: Event): void => {
    setPrinting(event.type === "beforeprint");
  };
  for (const type of ["beforeprint", "afterprint"]) {
    window.addEventListener(type, follow);
    onCleanup(() => {
      window.removeEventListener(type, follow);
    });
  }
  return printing;
}

/** Pixels, as in the style. */
export const ROW_HEIGHT = 24;

/** Scrolls as far as it takes to have a row in sight. */
export function reveal(body: HTMLElement, index: number): void {
  const at = index * ROW_HEIGHT;
  body.scrollTop = Math.max(Math.min(body.scrollTop, at), at + ROW_HEIGHT - body.clientHeight);
}

/** Says when an element has another size, and at first, for as long as the view is there that asks. */
export function watchSize(element: HTMLElement, changed: () => void): void {
  const observer = new ResizeObserver(changed);
  observer.observe(element);
  onCleanup(() => {
    observer.disconnect();
  });
}

/** A key, as it is printed beside what it does. */
export function Key(props: { name: string }): JSX.Element {
  return <kbd>{props.name}</kbd>;
}

/** Text onto the clipboard, by whatever the browser allows to this page. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    // The only way for a page from file:// in some browsers.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
