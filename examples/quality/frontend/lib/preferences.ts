// What this device remembers: who inspects, on which line, and how many rows a list shows.
import { useMemo, useSyncExternalStore } from "react";

export type Preferences = { name: string; line: string; rows: number };

export const lines = ["A1", "A2", "B1", "C1"] as const;
export const rowChoices = [10, 25, 50, 100] as const;

const key = "quality.preferences";
const changed = "quality.preferences.changed";
const initial: Preferences = { name: "", line: "", rows: 25 };

/** The preferences of this device. The exported page holds the initial ones, so the first render uses them too. */
export function usePreferences(): Preferences {
  const stored = useSyncExternalStore(subscribe, readStored, () => null);
  return useMemo(() => (stored ? { ...initial, ...JSON.parse(stored) } : initial), [stored]);
}

export function savePreferences(preferences: Preferences): void {
  localStorage.setItem(key, JSON.stringify(preferences));
  window.dispatchEvent(new Event(changed));
}

function readStored(): string | null {
  return localStorage.getItem(key);
}

function subscribe(notify: () => void): () => void {
  // The browser's own "storage" event reaches the other tabs only, ours reaches this one.
  window.addEventListener("storage", notify);
  window.addEventListener(changed, notify);
  return () => {
    window.removeEventListener("storage", notify);
    window.removeEventListener(changed, notify);
  };
}
