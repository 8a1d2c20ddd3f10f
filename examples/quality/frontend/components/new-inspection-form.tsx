// The form that records one inspection.
"use client";

import { type FormEvent, useState } from "react";

import { Notice } from "@/components/notice";
import { resultNames } from "@/components/result-badge";
import { ApiError, type Inspection, recordInspection, type Result } from "@/lib/api";
import { lines, usePreferences } from "@/lib/preferences";

type Outcome = { recorded?: Inspection; error?: ApiError };

export function NewInspectionForm() {
  const { line } = usePreferences();
  const [sending, setSending] = useState(false);
  const [{ recorded, error }, setOutcome] = useState<Outcome>({});

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const values = new FormData(form);
    setSending(true);
    try {
      const recorded = await recordInspection({
        part: String(values.get("part")),
        line: String(values.get("line")),
        result: values.get("result") as Result,
        note: String(values.get("note")),
      });
      setOutcome({ recorded });
      form.reset();
    } catch (error) {
      setOutcome({ error: error instanceof ApiError ? error : new ApiError(String(error)) });
    } finally {
      setSending(false);
    }
  }

  return (
    <form className="card form" onSubmit={submit}>
      <label>
        Part
        <input name="part" required maxLength={80} placeholder="Bracket BR-204" autoComplete="off" />
        <FieldProblem message={error?.fields.part} />
      </label>
      <label>
        Line
        {/* The key makes the field anew once the remembered line is known. */}
        <select name="line" required defaultValue={line} key={line}>
          <option value="">Choose …</option>
          {lines.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <FieldProblem message={error?.fields.line} />
      </label>
      <fieldset>
        <legend>Result</legend>
        <div className="radios">
          {Object.entries(resultNames).map(([result, label]) => (
            <label key={result}>
              <input type="radio" name="result" value={result} required />
              {label}
            </label>
          ))}
        </div>
        <FieldProblem message={error?.fields.result} />
      </fieldset>
      <label>
        Note
        <textarea name="note" rows={3} maxLength={500} placeholder="What you measured or saw" />
        <FieldProblem message={error?.fields.note} />
      </label>
      <button className="button" disabled={sending}>
        {sending ? "Recording …" : "Record inspection"}
      </button>
      {recorded && (
        <Notice kind="good">
          Recorded as number {recorded.id}: {recorded.part} on {recorded.line}, {resultNames[recorded.result]}.
        </Notice>
      )}
      {error && <Notice kind="problem">{error.message}</Notice>}
    </form>
  );
}

function FieldProblem({ message }: { message?: string }) {
  return message ? <span className="field-problem">{message}</span> : null;
}
