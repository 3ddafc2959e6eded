"""The style sheet of the report's page. Two languages in one page: the radio button that is on hides the other one."""

STYLE = """
:root{color-scheme:light dark;
--ground:#f5f5f1;--paper:#fff;--ink:#1b1f24;--soft:#59616b;--rule:#dedfd9;--shade:#ecece5;
--n:#b42318;--e:#c9972c;--p:#3b74b9;--d:#2f8560;--n-ground:#fdf3f1;--e-ground:#fff3d1;--e-ink:#5c4300}
@media(prefers-color-scheme:dark){:root{
--ground:#121518;--paper:#1a1e22;--ink:#e7e9eb;--soft:#a3acb6;--rule:#30363d;--shade:#23292f;
--n:#f4877b;--e:#d6a548;--p:#6fa6e6;--d:#58b38b;--n-ground:#2a1d1c;--e-ground:#3d3113;--e-ink:#f7dfa3}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 -apple-system,"Segoe UI","Noto Sans",Roboto,
"Helvetica Neue","PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",system-ui,sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
#en:checked~main [lang|=zh],#zh:checked~main [lang|=en]{display:none!important}
main,.languages{max-width:1080px;margin:0 auto;padding:0 24px}
.languages{height:0;display:flex;align-items:flex-start;justify-content:flex-end;gap:2px;
font-size:13px;position:relative}
.languages label{margin-top:25px}
.languages label,.kinds label{flex:none;height:26px;line-height:26px;padding:0 10px;border-radius:13px;
color:var(--soft);cursor:pointer}
.languages label:hover,.kinds label:hover{color:var(--ink)}
#en:checked~.languages [for=en],#zh:checked~.languages [for=zh]{background:var(--shade);color:var(--ink)}
.kinds{display:flex;flex-wrap:wrap;gap:2px;font-size:13px;margin:0 0 10px -10px}
.kinds .count{margin-left:.2em}
#kind-all:checked~.kinds [for=kind-all],#kind-o:checked~.kinds [for=kind-o],#kind-i:checked~.kinds [for=kind-i],
#kind-c:checked~.kinds [for=kind-c]{background:var(--shade);color:var(--ink)}
#kind-all:focus-visible~.kinds [for=kind-all],#kind-o:focus-visible~.kinds [for=kind-o],
#kind-i:focus-visible~.kinds [for=kind-i],#kind-c:focus-visible~.kinds [for=kind-c]{outline:2px solid var(--p)}
#kind-o:checked~.rows tbody tr:not(.o),#kind-i:checked~.rows tbody tr:not(.i),
#kind-c:checked~.rows tbody tr:not(.c){display:none}
#en:focus-visible~.languages [for=en],#zh:focus-visible~.languages [for=zh]{outline:2px solid var(--p)}
.hide{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
h1,h2,h3,p,ul,ol,dl,dd,figure,pre{margin:0;padding:0}
ul,ol{list-style:none}
h1{font-size:26px;line-height:32px;font-weight:650;letter-spacing:-.015em;padding-right:130px}
h2{font-size:17px;line-height:24px;font-weight:650;margin-bottom:12px}
.count{color:var(--soft);font-weight:400;margin-left:.4em}
h3{font-size:15px;line-height:22px;font-weight:650}
header{padding:22px 0 20px}
.soft,small,figcaption{color:var(--soft);font-size:13px}
small{display:block;line-height:1.45}
bdi{display:inline-block;max-width:100%;overflow-x:auto;white-space:nowrap;vertical-align:bottom}
i{font-style:normal}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Noto Sans Mono","Liberation Mono",monospace;
unicode-bidi:isolate}
.domain,th[scope=row]{unicode-bidi:isolate}
main>section{margin-bottom:36px}
.dry{background:var(--e-ground);color:var(--e-ink);border-radius:8px;padding:10px 16px;margin-bottom:20px}
.dry strong{text-transform:uppercase;letter-spacing:.06em;margin-right:.6em}
.quiet{color:var(--soft);padding-left:22px;position:relative}
.quiet::before{content:"";position:absolute;left:3px;top:6px;width:10px;height:5px;
border:solid var(--d);border-width:0 0 2px 2px;transform:rotate(-45deg)}
.need{background:var(--paper);border:1px solid var(--rule);border-left:4px solid var(--n);border-radius:8px;
padding:14px 20px 2px;margin-bottom:12px}
.need>p{max-width:76ch;margin:2px 0 8px;color:var(--soft)}
.need li.item{display:grid;grid-template-columns:84px minmax(0,1fr);gap:0 16px;padding:12px 0;
border-top:1px solid var(--rule)}
.left{line-height:1.2;color:var(--soft);font-size:12.5px}
.left b{display:block;font-size:28px;line-height:30px;font-weight:600;color:var(--ink);letter-spacing:-.02em}
.left .late{color:var(--n)}
.domain{font-weight:600;line-height:22px}
.facts{display:flex;flex-wrap:wrap;gap:0 16px;color:var(--soft);font-size:13px}
.facts>span{min-width:0}
.facts strong{color:var(--ink);font-weight:600}
.records{margin-top:8px;display:grid;grid-template-columns:minmax(0,1fr);gap:6px}
.records dl{background:var(--shade);border-radius:5px;padding:6px 10px;gap:1px 16px;font-size:13px}
.records code{user-select:all}
.records p{font-size:13px}
.need>p code{color:var(--ink)}
.events{margin-top:8px;display:grid;grid-template-columns:minmax(0,1fr);gap:6px}
.events code{display:block;background:var(--shade);border-radius:5px;padding:5px 10px;user-select:all}
.events span{font-size:13px;color:var(--soft)}
.more{padding:10px 0;border-top:1px solid var(--rule);color:var(--soft);font-size:13px}
.errors ul{border-left:4px solid var(--n);padding:2px 0 2px 16px}
.errors li+li{margin-top:6px}
.card>p{margin-bottom:10px}
.card{background:var(--paper);border:1px solid var(--rule);border-radius:8px;padding:18px 20px}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13px;margin-bottom:16px}
.legend li::before,.s::before{content:"";display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:7px;
background:var(--soft)}
.legend .n::before,.s.n::before{background:var(--n)}.legend .e::before,.s.e::before{background:var(--e)}
.legend .p::before,.s.p::before{background:var(--p)}.legend .d::before,.s.d::before{background:var(--d)}
.plot{padding:0 20px 0 30px}
svg{display:block;overflow:visible;font-size:12px}
svg text{fill:var(--soft)}svg .strong{fill:var(--ink);font-weight:600}
svg .window{fill:var(--shade)}svg .grid{stroke:var(--rule)}svg .axis{stroke:var(--soft)}
svg .today{stroke:var(--ink);stroke-width:1.5}
svg .n{fill:var(--n)}svg .e{fill:var(--e)}svg .p{fill:var(--p)}svg .d{fill:var(--d)}
figcaption{margin-top:10px}
.stages{display:flex;flex-wrap:wrap;gap:12px}
.stages ol,.stages ul{display:flex;background:var(--paper);border:1px solid var(--rule);border-radius:8px}
.stages ol{flex:5}.stages ul{flex:4}
.stages li{flex:1;padding:12px 8px 12px 16px;position:relative;color:var(--soft);font-size:13px;line-height:18px;
min-width:0}
.stages ol li+li::before{content:"";position:absolute;left:-4px;top:50%;width:7px;height:7px;margin-top:-4px;
border:solid var(--soft);border-width:1.5px 1.5px 0 0;transform:rotate(45deg)}
.stages b{display:block;font-size:22px;line-height:28px;font-weight:600;color:var(--ink)}
.stages .zero b{color:var(--soft);font-weight:400}
.stages .bad b,.stages small{color:var(--n)}
section>.soft{margin:-8px 0 10px}
.rows{padding:4px 20px}
table{border-collapse:collapse;width:100%;table-layout:fixed;font-size:14px}
th,td{text-align:left;vertical-align:top;padding:8px 12px 8px 0;font-weight:400;line-height:20px}
thead th{font-size:12.5px;color:var(--soft);border-bottom:1px solid var(--rule)}
tbody tr+tr{border-top:1px solid var(--rule)}
th:first-child{width:27%;font-weight:600}thead th:first-child{font-weight:400}
th:nth-child(2){width:8.5%}th:nth-child(3){width:10%}th:nth-child(4){width:13%}th:nth-child(6){width:17.5%}
td:nth-child(6){font-size:13px}
th:nth-child(7){width:10%}
td:nth-child(2),thead th:nth-child(2){text-align:right;padding-right:20px}
th small,td small{font-size:12.5px;font-weight:400}
.late{color:var(--n)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 20px;font-size:14px}
dt{color:var(--soft)}
.counts{display:flex;flex-wrap:wrap;gap:4px 24px;margin-bottom:14px}
.counts b{font-size:18px;font-weight:600;margin-right:6px}
@media(max-width:640px){
main,.languages{padding-left:16px;padding-right:16px}
.languages label{margin-top:12px}
header{padding:10px 0 12px}
h1{font-size:21px;line-height:30px;padding-right:112px}
h2{margin-bottom:8px}
main>section{margin-bottom:28px}
.need{padding:10px 14px 0}
.need>p{font-size:13.5px;line-height:19px;margin-bottom:6px}
.need li.item{padding:10px 0}
.need li.item{grid-template-columns:56px minmax(0,1fr);gap:0 12px}
.card{padding:14px}
.plot{padding:0 10px 0 24px}
svg{font-size:11px}
.stages ol,.stages ul{flex:1 0 100%;flex-direction:column;padding:4px 0}
.stages li{display:flex;flex-direction:row-reverse;justify-content:space-between;gap:12px;padding:4px 14px;
align-items:baseline;line-height:22px;flex:none}
.stages b{font-size:16px;line-height:22px}
.stages ol li+li::before{display:none}
.records dl{display:block}.records dd+dt{margin-top:4px}
.rows{padding:0 14px}
table,tbody,tr,th,td{display:block}
thead{position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}
tbody tr{padding:10px 0;display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2px 12px}
tbody th,tbody td{padding:0;width:auto!important}
tbody th{grid-column:1/3}
td:nth-child(2){text-align:left;padding:0}
tbody td:empty{display:none}
#en:checked~main td:nth-child(2)::before{content:"Days left "}
#zh:checked~main td:nth-child(2)::before{content:"剩余天数 "}
#en:checked~main td:nth-child(3)::before{content:"Ends "}
#zh:checked~main td:nth-child(3)::before{content:"到期日 "}
#en:checked~main td.late:nth-child(2)::before{content:"Ended "}
#zh:checked~main td.late:nth-child(2)::before{content:"已到期 "}
#en:checked~main td:nth-child(6)::before{content:"Replaced by "}
#zh:checked~main td:nth-child(6)::before{content:"接替者 "}
#en:checked~main td:nth-child(7)::before{content:"In use on "}
#zh:checked~main td:nth-child(7)::before{content:"用于 "}
#en:checked~main td:nth-child(5)::before{content:"Last run "}
#zh:checked~main td:nth-child(5)::before{content:"上次运行 "}
td:nth-child(2)::before,td:nth-child(3)::before,td:nth-child(n+5)::before{color:var(--soft);font-size:12.5px}
td:nth-child(n+6){grid-column:1/3}
dl{gap:2px 14px}
}
@media print{body{background:none}.languages{display:none}tr,.need li.item{break-inside:avoid}}
"""
