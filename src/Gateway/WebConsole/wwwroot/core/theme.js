// Light, dark, or as the system has it. Kept in this browser.
import { signal, effect } from '@preact/signals';

const key = 'granary.theme';
const themes = ['system', 'light', 'dark'];

function remembered() {
  try {
    const kept = localStorage.getItem(key);
    return themes.includes(kept) ? kept : 'system';
  } catch {
    return 'system'; // Storage is switched off: the choice lasts as long as the page.
  }
}

export const theme = signal(remembered());

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  try {
    localStorage.setItem(key, theme.value);
  } catch {
    // As above.
  }
});

export const nextTheme = () => { theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length]; };

export const lessMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
