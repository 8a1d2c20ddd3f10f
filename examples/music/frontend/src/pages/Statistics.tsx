// What the diary adds up to.
import { readStatistics, type Statistics as Numbers } from "../api";
import { Loaded, useAsked } from "../components/Loaded";
import { useLanguage } from "../language";

export function Statistics() {
  const { texts } = useLanguage();
  return (
    <>
      <h1>{texts.statistics.title}</h1>
      <p className="lead">{texts.statistics.lead}</p>
      <Loaded asked={useAsked(readStatistics)}>
        {(numbers) => (numbers.sessions ? <Figures numbers={numbers} /> : <p className="quiet">{texts.statistics.empty}</p>)}
      </Loaded>
    </>
  );
}

function Figures({ numbers }: { numbers: Numbers }) {
  const { texts } = useLanguage();
  const words = texts.statistics;
  return (
    <>
      <dl className="figures">
        <div><dt>{words.total}</dt><dd>{texts.time(numbers.minutes)}</dd></div>
        <div><dt>{words.sessions}</dt><dd>{words.times(numbers.sessions)}</dd></div>
        <div><dt>{words.row}</dt><dd>{words.days(numbers.days_in_a_row)}</dd></div>
      </dl>
      <div className="card">
        <h2>{words.fortnight}</h2>
        <Days days={numbers.days} />
      </div>
      <div className="card">
        <h2>{words.bySong}</h2>
        <SongBars songs={numbers.songs} />
      </div>
    </>
  );
}

function Days({ days }: { days: Numbers["days"] }) {
  const { texts } = useLanguage();
  const most = Math.max(60, ...days.map((each) => each.minutes));
  return (
    <ol className="days">
      {days.map(({ day, minutes }) => (
        <li key={day} title={`${day}: ${texts.minutes(minutes)}`}>
          <span className="column" style={{ height: `${(100 * minutes) / most}%` }} />
          <time dateTime={day}>{Number(day.slice(8))}</time>
          <span className="hidden">{texts.minutes(minutes)}</span>
        </li>
      ))}
    </ol>
  );
}

function SongBars({ songs }: { songs: Numbers["songs"] }) {
  const { texts } = useLanguage();
  const most = Math.max(1, ...songs.map((each) => each.minutes));
  return (
    <ul className="bars">
      {songs.map(({ song, minutes }) => (
        <li key={song}>
          <span>{song}</span>
          <span className="quiet">{texts.time(minutes)}</span>
          <span className="bar-line" style={{ width: `${(100 * minutes) / most}%` }} />
        </li>
      ))}
    </ul>
  );
}
