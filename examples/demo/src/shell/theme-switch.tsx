import { useEffect } from 'react';
import { useSetting } from './setting.js';

const themes = ['auto', 'light', 'dark'] as const;

/** The system's theme, or the user's own choice. `public/theme.js` applies it before the first paint. */
export function ThemeSwitch() {
  const [theme, setTheme] = useSetting('microturn.theme', themes, 'auto');
  useEffect(() => {
    const { dataset } = document.documentElement;
    if (theme === 'auto') delete dataset['theme'];
    else dataset['theme'] = theme;
  }, [theme]);
  return (
    <fieldset className="theme-switch">
      <legend className="sr-only">Theme</legend>
      {themes.map((name) => (
        <label key={name}>
          <input
            type="radio"
            name="theme"
            className="sr-only"
            checked={theme === name}
            onChange={() => setTheme(name)}
          />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}
