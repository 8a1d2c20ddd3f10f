// The form behind signing in and behind the settings: what this device remembers about the person at it.
"use client";

import { type FormEvent, type ReactNode, useState } from "react";

import { Notice } from "@/components/notice";
import { lines, rowChoices, savePreferences, usePreferences } from "@/lib/preferences";

type Props = {
  button: string;
  /** More fields, below the usual two. */
  children?: ReactNode;
};

export function PersonForm({ button, children }: Props) {
  const preferences = usePreferences();
  const [saved, setSaved] = useState(false);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const values = new FormData(event.currentTarget);
    savePreferences({
      name: String(values.get("name")).trim(),
      line: String(values.get("line")),
      rows: Number(values.get("rows") ?? preferences.rows),
    });
    setSaved(true);
  }

  return (
    // The key makes the fields anew once the remembered values are known.
    <form className="card form" onSubmit={submit} key={JSON.stringify(preferences)}>
      <label>
        Your name
        <input name="name" required maxLength={60} defaultValue={preferences.name} autoComplete="name" />
      </label>
      <label>
        Your line
        <select name="line" defaultValue={preferences.line}>
          <option value="">No fixed line</option>
          {lines.map((line) => (
            <option key={line}>{line}</option>
          ))}
        </select>
      </label>
      {children}
      <button className="button">{button}</button>
      {saved && <Notice kind="good">Saved on this device.</Notice>}
    </form>
  );
}

export function RowsField() {
  const preferences = usePreferences();
  return (
    <label>
      Rows in a list
      <select name="rows" defaultValue={preferences.rows} key={preferences.rows}>
        {rowChoices.map((rows) => (
          <option key={rows}>{rows}</option>
        ))}
      </select>
    </label>
  );
}
