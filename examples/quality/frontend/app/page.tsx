// The front page: what this is, and the three things people come for.
import Link from "next/link";

const doors = [
  { href: "/inspections/new/", title: "Record an inspection", text: "Part, line, result and a note. Takes ten seconds." },
  { href: "/defects/", title: "See open defects", text: "Everything that failed, with what was measured." },
  { href: "/reports/", title: "Compare the lines", text: "How many parts pass the first time, line by line." },
];

export default function Home() {
  return (
    <>
      <section className="hero">
        <h1>Every part, looked at once and written down.</h1>
        <p>Inspections from the shop floor in one place: what was checked, by which line, and what came of it.</p>
        <div className="actions">
          <Link href="/dashboard/" className="button">
            Open the dashboard
          </Link>
          <Link href="/login/" className="button second">
            Sign in
          </Link>
        </div>
      </section>
      <div className="doors">
        {doors.map(({ href, title, text }) => (
          <Link key={href} href={href} className="card">
            <strong>{title}</strong>
            <span className="quiet">{text}</span>
          </Link>
        ))}
      </div>
    </>
  );
}
