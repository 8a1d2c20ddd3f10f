// The frame around every page, and which page is at which path.
import { NavLink, Route, Routes } from "react-router";

import { useLanguage } from "./language";
import { Diary } from "./pages/Diary";
import { NotFound } from "./pages/NotFound";
import { Songs } from "./pages/Songs";
import { Statistics } from "./pages/Statistics";

export function App() {
  const { texts, other, switchLanguage } = useLanguage();
  return (
    <>
      <header>
        <div className="bar">
          <NavLink to="/" className="brand">
            <img src="/favicon.svg" alt="" width="30" height="30" />
            <span>
              {texts.name}
              <small>{texts.school}</small>
            </span>
          </NavLink>
          <button type="button" className="language" lang={other.code} onClick={switchLanguage}>
            {other.name}
          </button>
          <nav>
            <NavLink to="/" end>{texts.diary.title}</NavLink>
            <NavLink to="/songs">{texts.songs.title}</NavLink>
            <NavLink to="/statistics">{texts.statistics.title}</NavLink>
          </nav>
        </div>
      </header>
      <main>
        <Routes>
          <Route path="/" element={<Diary />} />
          <Route path="/songs" element={<Songs />} />
          <Route path="/statistics" element={<Statistics />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </main>
      <footer>{texts.motto}</footer>
    </>
  );
}
