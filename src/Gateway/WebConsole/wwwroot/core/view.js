// What every component imports: preact with htm for markup, so that no build step is needed.
import { h } from 'preact';
import htm from 'htm';

export const html = htm.bind(h);
export { useEffect, useRef, useState, useMemo } from 'preact/hooks';
export { signal, computed, batch, effect, useSignal, useComputed, useSignalEffect } from '@preact/signals';
