// The bar on top of every page: where one is, where one can go, and who is signed in.
"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

import { usePreferences } from "@/lib/preferences";

const sections = [
  { href: "/dashboard/", label: "Dashboard" },
  { href: "/inspections/", label: "Inspections" },
  { href: "/defects/", label: "Defects" },
  { href: "/reports/", label: "Reports" },
  { href: "/admin/", label: "Admin" },
  { href: "/help/", label: "Help" },
];

export function SiteHeader() {
  const pathname = usePathname();
  const { name, line } = usePreferences();
  return (
    <header className="site-header">
      <Link href="/" className="brand">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M5 12.5l4.5 4.5L19 7.5" />
        </svg>
        Quality
      </Link>
      <nav aria-label="Sections">
        {sections.map(({ href, label }) => (
          <Link key={href} href={href} aria-current={pathname.startsWith(href) ? "page" : undefined}>
            {label}
          </Link>
        ))}
      </nav>
      {name ? (
        <Link href="/settings/" className="person">
          {name}
          {line && <span className="quiet"> · {line}</span>}
        </Link>
      ) : (
        <Link href="/login/" className="person">
          Sign in
        </Link>
      )}
    </header>
  );
}
