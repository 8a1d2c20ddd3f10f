// Writing a practice session down, and the newest ones.
import { addEntry, readEntries, readSongs, today, type Entry, type Song } from "../api";
import { Loaded, useAsked } from "../components/Loaded";
import { SendForm } from "../components/SendForm";
import { useLanguage } from "../language";

const PLAYER = "player";

export function Diary() {
  const { texts } = useLanguage();
  const songs = useAsked(readSongs);
  const entries = useAsked(readEntries);
  return (
    <>
      <h1>{texts.diary.title}</h1>
      <p className="lead">{texts.diary.lead}</p>
      <div className="columns">
        <Loaded asked={songs}>{(list) => <EntryForm songs={list} added={entries.ask} />}</Loaded>
        <section>
          <Loaded asked={entries}>
            {({ count, items }) => (
              <>
                <h2>
                  {texts.diary.newest} <small>{texts.diary.count(count)}</small>
                </h2>
                {items.length === 0 && <p className="quiet">{texts.diary.empty}</p>}
                <ol className="entries">
                  {items.map((entry) => <EntryItem key={entry.id} entry={entry} />)}
                </ol>
              </>
            )}
          </Loaded>
        </section>
      </div>
    </>
  );
}

function EntryForm({ songs, added }: { songs: Song[]; added: () => void }) {
  const { texts } = useLanguage();

  async function send(fields: FormData) {
    const player = String(fields.get("player"));
    await addEntry({
      song_id: Number(fields.get("song")),
      player,
      minutes: Number(fields.get("minutes")),
      day: String(fields.get("day")),
      note: String(fields.get("note")),
    });
    localStorage.setItem(PLAYER, player);
    added();
  }

  return (
    <SendForm send={send} button={texts.diary.save}>
      <label>
        {texts.diary.song}
        <select name="song" required>
          {songs.map((song) => <option key={song.id} value={song.id}>{song.title}</option>)}
        </select>
      </label>
      <label>
        {texts.diary.player}
        <input name="player" required maxLength={60} autoComplete="name" defaultValue={localStorage.getItem(PLAYER) ?? ""} />
      </label>
      <div className="pair">
        <label>
          {texts.diary.minutes}
          <input name="minutes" type="number" required min={1} max={600} defaultValue={30} inputMode="numeric" />
        </label>
        <label>
          {texts.diary.day}
          <input name="day" type="date" required max={today()} defaultValue={today()} />
        </label>
      </div>
      <label>
        {texts.diary.note}
        <textarea name="note" rows={3} maxLength={500} placeholder={texts.diary.notePlaceholder} />
      </label>
    </SendForm>
  );
}

function EntryItem({ entry }: { entry: Entry }) {
  const { code, texts } = useLanguage();
  const day = new Date(`${entry.day}T00:00`).toLocaleDateString(code, { month: "short", day: "numeric", weekday: "short" });
  return (
    <li>
      <time dateTime={entry.day}>{day}</time>
      <strong>{entry.song}</strong>
      <span className="quiet">{entry.player} · {texts.minutes(entry.minutes)}</span>
      {entry.note && <p>{entry.note}</p>}
    </li>
  );
}
