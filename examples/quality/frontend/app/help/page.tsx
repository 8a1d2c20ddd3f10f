// The answers to what people ask first.
import type { Metadata } from "next";
import Link from "next/link";

import { PageHead } from "@/components/page-head";

export const metadata: Metadata = { title: "Help" };

export default function HelpPage() {
  return (
    <div className="narrow">
      <PageHead title="Help">Short answers to the usual questions.</PageHead>
      <div className="card answers">
        <h2>Which result do I choose?</h2>
        <p>
          <strong>Pass</strong> when every dimension is inside its limits. <strong>Rework</strong> when the part can be
          made good. <strong>Fail</strong> when it cannot: put the lot on hold and write down what you measured.
        </p>
        <h2>I recorded something wrong.</h2>
        <p>
          Record it again correctly and tell a quality engineer the number that was shown. They can remove the wrong one
          on the <Link href="/admin/">admin page</Link>.
        </p>
        <h2>It says that the API does not answer.</h2>
        <p>
          Wait a minute and load the page again. If it stays, look at the <Link href="/login/">sign-in page</Link>, which
          shows the state of the API, and tell your administrator what it says.
        </p>
      </div>
    </div>
  );
}
