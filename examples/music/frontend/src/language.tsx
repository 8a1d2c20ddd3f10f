// The language of the page: what the visitor chose last, else the browser's.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

import { LANGUAGES, type Code, type Texts } from "./texts";

const STORED = "language";

type Language = {
  code: Code;
  texts: Texts;
  other: { code: Code; name: string };
  switchLanguage: () => void;
};

const LanguageContext = createContext<Language | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [code, setCode] = useState<Code>(firstCode);
  useEffect(() => {
    document.documentElement.lang = code;
  }, [code]);
  const language = useMemo(() => {
    const other = LANGUAGES[code === "ko" ? "en" : "ko"];
    const switchLanguage = () => {
      localStorage.setItem(STORED, other.code);
      setCode(other.code);
    };
    return { code, texts: LANGUAGES[code].texts, other, switchLanguage };
  }, [code]);
  return <LanguageContext value={language}>{children}</LanguageContext>;
}

export function useLanguage(): Language {
  const language = useContext(LanguageContext);
  if (!language) throw new Error("useLanguage is used outside of LanguageProvider.");
  return language;
}

function firstCode(): Code {
  const stored = localStorage.getItem(STORED);
  if (stored === "ko" || stored === "en") return stored;
  return navigator.language.startsWith("ko") ? "ko" : "en";
}
