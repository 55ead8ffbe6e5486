/* The style of pages: one column, by the reader's own letters, in light and dark. */
#ifndef PAGE_STYLE_H
#define PAGE_STYLE_H

static const char page_style[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1c;--soft:#565656;--line:#d4d4d4;--band:#f3f5f8;"
    "--paper:#6b3f00;--own:#12436d}\n"
    "@media (prefers-color-scheme:dark){:root{--ground:#15181c;--ink:#e8e8e8;--soft:#a9afb6;--line:#3b4149;--band:#20252b;"
    "--paper:#f0b46a;--own:#8fc1ee}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}\n"
    "main{max-width:62rem;margin:0 auto;padding:1.25rem 1rem 3rem}\n"
    "h1{font-size:1.75rem;line-height:1.2;margin:.5rem 0 .75rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.25rem;line-height:1.3;margin:2.25rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--line);"
    "overflow-wrap:anywhere}\n"
    "p{max-width:44rem;margin:.6rem 0;overflow-wrap:anywhere;white-space:pre-line}\n"
    ".lead{font-size:1.1rem;color:var(--soft)}\n"
    ".box{overflow-x:auto;margin:1rem 0;border:1px solid var(--line);border-radius:.4rem}\n"
    "table{border-collapse:collapse;width:100%;font-size:.95rem;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;padding:.5rem .75rem;color:var(--soft)}\n"
    "caption span{display:inline-block;position:sticky;left:.75rem;max-width:calc(100vw - 3.75rem)}\n"
    "th,td{padding:.35rem .75rem;text-align:left;border-top:1px solid var(--line);white-space:nowrap}\n"
    "th[scope=col]{background:var(--band)}\n"
    "th[scope=row]{font-weight:600}\n"
    ".number{text-align:right}\n"
    ".paper{color:var(--paper);font-style:italic}\n"
    "figure{margin:1rem 0}\n"
    "figcaption{color:var(--soft);font-size:.9rem;margin-top:.35rem;overflow-wrap:anywhere}\n"
    "img{display:block;max-width:100%;height:auto}\n"
    ".plot{width:100%;max-width:45rem;background:#fff;border-radius:.4rem}\n"
    ".pixels{image-rendering:pixelated}\n"
    ".wide .pixels{min-width:min(100%,20rem)}\n"
    ".gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:1rem;margin:1rem 0}\n"
    ".gallery figure{margin:0}\n"
    ".gallery img{width:100%}\n"
    "@media print{.box{overflow:visible}}\n";

#endif
