// What visitors see at an address that does not exist; exported as 404.html.
import type { Metadata } from "next";
import Link from "next/link";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <section className="hero">
      <h1>There is no page here.</h1>
      <p>The address may be mistyped, or the page has moved.</p>
      <div className="actions">
        <Link href="/" className="button">
          Go to the front page
        </Link>
      </div>
    </section>
  );
}
