// The repertoire: what is there, how far it is, and a form for more.
import { addSong, readSongs, type Song, type Stage } from "../api";
import { Loaded, useAsked } from "../components/Loaded";
import { SendForm } from "../components/SendForm";
import { useLanguage } from "../language";

const STAGES: readonly Stage[] = ["ready", "polishing", "learning"];

export function Songs() {
  const { texts } = useLanguage();
  const songs = useAsked(readSongs);
  return (
    <>
      <h1>{texts.songs.title}</h1>
      <p className="lead">{texts.songs.lead}</p>
      <div className="columns list-first">
        <SongForm added={songs.ask} />
        <section>
          <Loaded asked={songs}>
            {(list) => (list.length === 0 ? <p className="quiet">{texts.songs.empty}</p> : <Stages songs={list} />)}
          </Loaded>
        </section>
      </div>
    </>
  );
}

function Stages({ songs }: { songs: Song[] }) {
  const { texts } = useLanguage();
  return STAGES.map((stage) => {
    const some = songs.filter((song) => song.stage === stage);
    if (some.length === 0) return null;
    return (
      <div key={stage}>
        <h2>
          <span className={`dot ${stage}`} /> {texts.stages[stage]} <small>{some.length}</small>
        </h2>
        <ul className="songs">
          {some.map((song) => (
            <li key={song.id}>
              <strong>{song.title}</strong>
              <span className="quiet">
                {song.composer}
                {song.tempo && ` · ♩= ${song.tempo}`}
              </span>
              <span className="spent">{texts.songs.spent(texts.time(song.minutes))}</span>
            </li>
          ))}
        </ul>
      </div>
    );
  });
}

function SongForm({ added }: { added: () => void }) {
  const { texts } = useLanguage();

  async function send(fields: FormData) {
    await addSong({
      title: String(fields.get("title")),
      composer: String(fields.get("composer")),
      tempo: Number(fields.get("tempo")) || null,
      stage: fields.get("stage") as Stage,
    });
    added();
  }

  return (
    <SendForm send={send} button={texts.songs.save}>
      <h2>{texts.songs.add}</h2>
      <label>
        {texts.songs.name}
        <input name="title" required maxLength={120} />
      </label>
      <label>
        {texts.songs.composer}
        <input name="composer" required maxLength={120} />
      </label>
      <div className="pair">
        <label>
          {texts.songs.tempo}
          <input name="tempo" type="number" min={20} max={300} inputMode="numeric" />
        </label>
        <label>
          {texts.songs.stage}
          <select name="stage" defaultValue="learning">
            {STAGES.map((stage) => <option key={stage} value={stage}>{texts.stages[stage]}</option>)}
          </select>
        </label>
      </div>
    </SendForm>
  );
}
