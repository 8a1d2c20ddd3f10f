// Loads something from the API and shows it, or says that it is loading, or why it could not be loaded.
"use client";

import { type ReactNode, useEffect, useState } from "react";

import { Notice } from "@/components/notice";

type Answer<T> = { state: "loading" } | { state: "failed"; message: string } | { state: "ready"; data: T };

type Props<T> = {
  /** Must stay the same function between renders; a new one loads again. */
  load: (signal: AbortSignal) => Promise<T>;
  children: (data: T) => ReactNode;
};

export function FromApi<T>({ load, children }: Props<T>) {
  const [answer, setAnswer] = useState<Answer<T>>({ state: "loading" });

  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (data) => setAnswer({ state: "ready", data }),
      (error: Error) => {
        if (!controller.signal.aborted) setAnswer({ state: "failed", message: error.message });
      },
    );
    return () => controller.abort();
  }, [load]);

  if (answer.state === "loading") return <p className="quiet">Loading …</p>;
  if (answer.state === "failed") return <Notice kind="problem">{answer.message}</Notice>;
  return children(answer.data);
}
