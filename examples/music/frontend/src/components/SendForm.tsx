// A form that is sent to the API and says when that did not work.
import { useState, type FormEvent, type ReactNode } from "react";

import { ApiError } from "../api";
import { useLanguage } from "../language";

type Properties = { send: (fields: FormData) => Promise<void>; button: string; children: ReactNode };

export function SendForm({ send, button, children }: Properties) {
  const { texts } = useLanguage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setProblem("");
    try {
      await send(new FormData(form));
      form.reset();
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      setProblem(status === 409 ? texts.known : status ? texts.refused : texts.failed);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className="card" onSubmit={submit}>
      {children}
      {problem && <p className="notice" role="alert">{problem}</p>}
      <button type="submit" disabled={busy}>{busy ? texts.saving : button}</button>
    </form>
  );
}
