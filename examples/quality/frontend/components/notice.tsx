// A line that tells people how something went.
import type { ReactNode } from "react";

export function Notice({ kind, children }: { kind: "good" | "problem"; children: ReactNode }) {
  return (
    <p className={`notice ${kind}`} role={kind === "problem" ? "alert" : "status"}>
      {children}
    </p>
  );
}
