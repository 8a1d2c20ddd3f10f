import { Link } from "react-router";

import { useLanguage } from "../language";

export function NotFound() {
  const { texts } = useLanguage();
  return (
    <>
      <h1>{texts.missing.title}</h1>
      <p><Link to="/">{texts.missing.back}</Link></p>
    </>
  );
}
