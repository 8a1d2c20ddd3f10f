// Shows what the API answered; before that, that it is asked, and when it failed, a way to ask again.
import { useCallback, useEffect, useState, type ReactNode } from "react";

import { useLanguage } from "../language";

export type Asked<T> = { answer: T | undefined; failed: boolean; ask: () => void };

export function useAsked<T>(load: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const [answer, setAnswer] = useState<T>();
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (value) => {
        setAnswer(value);
        setFailed(false);
      },
      () => controller.signal.aborted || setFailed(true),
    );
    return () => controller.abort();
  }, [load, round]);
  const ask = useCallback(() => setRound((count) => count + 1), []);
  return { answer, failed, ask };
}

export function Loaded<T>({ asked, children }: { asked: Asked<T>; children: (answer: T) => ReactNode }) {
  const { texts } = useLanguage();
  if (asked.failed) {
    return (
      <p className="notice" role="alert">
        {texts.failed}{" "}
        <button type="button" className="plain" onClick={asked.ask}>{texts.retry}</button>
      </p>
    );
  }
  return asked.answer === undefined ? <p className="quiet">{texts.loading}</p> : children(asked.answer);
}
