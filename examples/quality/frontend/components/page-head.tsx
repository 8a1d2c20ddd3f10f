// The title of a page, one sentence about it, and what can be done there.
import type { ReactNode } from "react";

export function PageHead({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="page-head">
      <div>
        <h1>{title}</h1>
        <p className="quiet">{children}</p>
      </div>
      {action}
    </div>
  );
}
