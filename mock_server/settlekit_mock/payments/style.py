"""The look of the hosted page: plain CSS, light and dark, from a phone's width up."""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #eef1f4; --card: #ffffff; --ink: #16202b; --soft: #55626f; --line: #dce2e8;
  --field: #f6f8fa; --accent: #0b5fa5; --accent-ink: #ffffff; --accent-deep: #084a82;
  --good: #0f6b43; --good-ground: #e5f4ec; --bad: #a3241c; --bad-ground: #fcebea;
  --shadow: 0 1px 2px rgb(16 32 48 / 8%), 0 12px 32px rgb(16 32 48 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f151b; --card: #182129; --ink: #eaf0f5; --soft: #a5b2bf; --line: #2d3a46;
    --field: #202b35; --accent: #6cb6f5; --accent-ink: #08223a; --accent-deep: #93cbfa;
    --good: #7fd8ab; --good-ground: #15352a; --bad: #ff9d94; --bad-ground: #421d1b;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  display: flex; flex-direction: column; align-items: center;
  padding: clamp(0.75rem, 4vw, 3.5rem) clamp(0.75rem, 4vw, 1.5rem);
}
main {
  width: 100%; max-width: 27rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; box-shadow: var(--shadow); padding: clamp(1.25rem, 5vw, 2rem);
}
.mode {
  display: inline-block; margin: 0 0 1.25rem; padding: 0.15rem 0.65rem; border-radius: 1rem;
  background: var(--field); border: 1px solid var(--line); color: var(--soft); font-size: 0.8125rem;
}
h1 { margin: 0; font-size: 1.0625rem; font-weight: 500; color: var(--soft); overflow-wrap: anywhere; }
h1 strong { color: var(--ink); font-weight: 650; }
h2 { margin: 1.75rem 0 0.75rem; font-size: 1rem; font-weight: 650; }
p { margin: 0.5rem 0; }
.amount {
  margin: 0.25rem 0 0; font-size: clamp(2rem, 9vw, 2.625rem); line-height: 1.15; font-weight: 650;
  letter-spacing: -0.02em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.soft { color: var(--soft); font-size: 0.9375rem; }
dl { margin: 1.5rem 0 0; border-top: 1px solid var(--line); }
dl div {
  display: flex; justify-content: space-between; gap: 1rem; padding: 0.625rem 0;
  border-bottom: 1px solid var(--line); font-size: 0.9375rem;
}
dt { color: var(--soft); flex: none; }
dd { margin: 0; text-align: right; text-wrap: balance; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
ol { margin: 0; padding-left: 1.25rem; font-size: 0.9375rem; }
ol li { padding-left: 0.25rem; margin: 0.375rem 0; }
ol li::marker { color: var(--soft); }
form { margin: 0; }
.actions { display: grid; gap: 0.625rem; margin-top: 1.75rem; }
button, .button, select {
  width: 100%; min-height: 3rem; padding: 0.625rem 1rem; border-radius: 0.625rem; font: inherit;
  color: var(--ink); background: var(--field); border: 1px solid var(--line);
}
button, .button { font-weight: 600; cursor: pointer; text-align: center; text-decoration: none; }
.button { display: flex; align-items: center; justify-content: center; }
button:hover, .button:hover { border-color: var(--soft); }
.main { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
.main:hover { background: var(--accent-deep); border-color: var(--accent-deep); }
.quiet { background: transparent; color: var(--soft); font-weight: 500; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a.main { color: var(--accent-ink); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.buyers { display: grid; gap: 0.5rem; margin: 0; padding: 0; list-style: none; }
.buyers button { display: flex; align-items: center; gap: 0.75rem; text-align: left; font-weight: 500; }
.buyers button span:last-child { overflow-wrap: anywhere; }
.initial {
  flex: none; width: 2rem; height: 2rem; border-radius: 50%; display: grid; place-items: center;
  background: var(--accent); color: var(--accent-ink); font-weight: 650; text-transform: uppercase;
}
label { display: block; margin-bottom: 0.375rem; font-size: 0.9375rem; color: var(--soft); }
.told { margin: 1.25rem 0 0; padding: 0.75rem 1rem; border-radius: 0.625rem; font-size: 0.9375rem; }
.told p { margin: 0; }
.good { background: var(--good-ground); color: var(--good); }
.bad { background: var(--bad-ground); color: var(--bad); }
footer { margin: 1.25rem 0 0; font-size: 0.8125rem; color: var(--soft); text-align: center; max-width: 27rem; }
footer code { font-size: 0.8125rem; overflow-wrap: anywhere; }
@media (prefers-contrast: more) { :root { --soft: var(--ink); --line: var(--soft); } }
"""
