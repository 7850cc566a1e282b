using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Granary.Browser;

/// <summary>
/// The board with a thousand partitions, while a third of them moves at once. The page is the real one; what would come from the stream of a
/// far larger cluster is put in its place.
/// </summary>
[Collection(ConsoleTests.Name)]
public sealed class FrameRateTests(ConsoleFixture console, ITestOutputHelper output)
{
    /// <summary>Thirty and more on a machine that has nothing else to do; an order of magnitude here.</summary>
    private const double FewestFramesPerSecond = 3;

    /// <summary>One shows that it works; `./dev bench console` asks for more, and has the silos beside the browser come to rest first.</summary>
    private static readonly int? s_rounds = int.TryParse(Environment.GetEnvironmentVariable("GRANARY_FRAME_ROUNDS"), out var asked) ? asked : null;

    /// <summary>A stream that opens at once, and tells what `window.tell` is given.</summary>
    private const string Stream = """
        const fetched = window.fetch;
        window.fetch = (address, options) => {
          if (address !== '/cluster/events') return fetched(address, options);
          const text = new TextEncoder();
          const body = new ReadableStream({
            start(stream) { window.tell = (name, data) => stream.enqueue(text.encode(`id: 1\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)); },
          });
          window.places = Array.from({ length: 1000 }, (_, index) => ({ topic: `topic-${index % 10}`, partition: Math.floor(index / 10), nodeId: index % 3 + 1, leaderEpoch: 1, state: 'open' }));
          const silos = [1, 2, 3].map((nodeId) => ({ nodeId, name: `silo-${nodeId}`, address: `10.0.0.${nodeId}:11111`, state: 'active' }));
          tell('snapshot', { now: new Date().toISOString(), silos, partitions: places, topics: {}, groups: [], timeline: [] });
          return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
        };
        """;

    /// <summary>Silo 2 goes; each of its partitions is away, and opens elsewhere within a second. Meanwhile frames are counted.</summary>
    private const string Migration = """
        async (round) => {
          const frames = [];
          let on = true;
          const count = (at) => { frames.push(at); if (on) requestAnimationFrame(count); };
          requestAnimationFrame(count);
          // As a busy cluster tells it: rates of every topic once a second, and entries of the timeline all the while.
          let entry = 1e6;
          const rates = () => {
            const topics = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`topic-${index}`, { recordsIn: entry % 997, bytesIn: entry, bytesOut: entry }]));
            tell('rates', { at: new Date().toISOString(), topics, successes: Array(10).fill(entry % 50), errors: Array(10).fill(0) });
          };
          const busy = setInterval(() => {
            if (entry % 10 === 0) rates();
            tell('timeline', { entry: entry++, count: 1, at: new Date().toISOString(), kind: 'first-append', text: `entry ${entry}` });
          }, 100);
          // Who does not move is left alone: a thousand tiles that are drawn anew, twenty times a second, are what a browser cannot do.
          const moving = places.filter((place) => place.nodeId === 2);
          const moves = new Set(moving.map((place) => `${place.topic}/${place.partition}`));
          let touched = 0;
          const watch = new MutationObserver((changes) => { for (const { target } of changes) if (target.dataset.key && !moves.has(target.dataset.key)) touched++; });
          watch.observe(document.querySelector('.tiles'), { attributes: true, subtree: true });
          tell('silo', { nodeId: 2, name: 'silo-2', address: '', state: 'dead' });
          for (const place of moving) tell('partition', { ...place, state: 'away' });
          const step = Math.ceil(moving.length / 20);
          for (let first = 0; first < moving.length; first += step) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            moving.slice(first, first + step).forEach((place, index) => tell('partition', { ...place, nodeId: index % 2 ? 1 : 3, leaderEpoch: 10 * round + 1, state: 'open', gapMs: 800 }));
          }
          await new Promise((resolve) => setTimeout(resolve, 1000));
          on = false;
          clearInterval(busy);
          watch.disconnect();
          const gaps = frames.slice(1).map((at, index) => at - frames[index]);
          return { perSecond: 1000 * gaps.length / (frames.at(-1) - frames[0]), longest: Math.max(...gaps), touched, nodes: document.querySelectorAll('*').length };
        }
        """;

    [Fact]
    public async Task ThousandPartitions_KeepMoving()
    {
        await using var page = await console.OpenAsync(silo: 0, script: Stream);
        await Expect(page.Page.Locator(".tile")).ToHaveCountAsync(1000);
        await page.ScreenshotAsync("cluster-1000");
        if (s_rounds is not null)
            await RestAsync();
        var perSecond = 0.0;
        for (var round = 1; round <= (s_rounds ?? 1); round++)
        {
            await page.Page.EvaluateAsync("round => { for (const place of places) tell('partition', { ...place, leaderEpoch: 10 * round, state: 'open' }); }", round);
            var seen = await page.Page.EvaluateAsync<JsonElement>(Migration, round);
            perSecond = Math.Max(perSecond, seen.GetProperty("perSecond").GetDouble());
            output.WriteLine($"round {round}: {seen.GetProperty("perSecond").GetDouble():0} frames/s, the longest {seen.GetProperty("longest").GetDouble():0} ms, {seen.GetProperty("nodes").GetInt32()} elements");
            Assert.Equal(0, seen.GetProperty("touched").GetInt32());
            await Expect(page.Page.Locator(".tile.travels")).ToHaveCountAsync(0);
        }

        await page.ScreenshotAsync("cluster-1000-after");
        Assert.Equal(0, await page.Page.Locator(".tile[aria-label*=\"on silo-2,\"]").CountAsync());
        Assert.True(perSecond >= FewestFramesPerSecond, $"{perSecond:0.0} frames per second");
    }

    /// <summary>A place that a tile has left stays empty for a while; a silo that is gone leaves, and of those there are never more than the page has room for.</summary>
    [Fact]
    public async Task Board_ComesToOrderWhenAllIsQuiet_AndForgetsWhoIsGone()
    {
        await using var page = await console.OpenAsync(silo: 0, script: Stream);
        var (first, next) = (page.Page.Locator(".tile[data-key='topic-0/0']"), page.Page.Locator(".tile[data-key='topic-0/3']"));
        await Expect(first).ToHaveAttributeAsync("aria-label", new Regex("on silo-1,"));
        var (firstPlace, nextPlace) = (await PlaceOf(first), await PlaceOf(next));
        await page.Page.Clock.InstallAsync();

        await page.Page.EvaluateAsync("() => tell('partition', { ...places[0], nodeId: 3, leaderEpoch: 2 })");
        await page.Page.Clock.RunForAsync(1000);
        await Expect(first).ToHaveAttributeAsync("aria-label", new Regex("on silo-3,"));
        Assert.Equal(nextPlace, await PlaceOf(next));
        await page.Page.Clock.RunForAsync(4000);
        Assert.Equal(firstPlace, await PlaceOf(next));

        // Silo 9 was dead before this page came; a hundred more die; silo 2 is forgotten by the cluster, though it has partitions.
        await page.Page.EvaluateAsync("""
            () => {
              const silos = [1, 2, 3].map((nodeId) => ({ nodeId, name: `silo-${nodeId}`, address: '', state: 'active' }));
              tell('snapshot', { now: new Date().toISOString(), silos: [...silos, { nodeId: 9, name: 'silo-9', address: '', state: 'dead' }], partitions: places, topics: {}, groups: [], timeline: [] });
            }
            """);
        await page.Page.Clock.RunForAsync(1000);
        await Expect(page.Page.Locator(".silo.dead")).ToHaveCountAsync(1);
        await page.Page.EvaluateAsync("() => { for (let nodeId = 100; nodeId < 200; nodeId++) tell('silo', { nodeId, name: `silo-${nodeId}`, address: '', state: 'dead' }); }");
        await page.Page.Clock.RunForAsync(1000);
        await Expect(page.Page.Locator(".silo.dead")).ToHaveCountAsync(32);
        await page.Page.EvaluateAsync("() => tell('silo', { nodeId: 2, name: 'silo-2', address: '', state: 'gone' })");
        await page.Page.Clock.RunForAsync(70_000);
        await Expect(page.Page.Locator(".silo.dead h2")).ToHaveTextAsync(["nowhere"]);
        await Expect(page.Page.Locator(".silo.active")).ToHaveCountAsync(2);

        static Task<string> PlaceOf(ILocator tile) => tile.EvaluateAsync<string>("tile => tile.style.transform");
    }

    /// <summary>Until the silos use next to nothing of the processors, and at most a minute.</summary>
    private async Task RestAsync()
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        for (var used = Used(); since.Elapsed < TimeSpan.FromMinutes(1);)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            var before = used;
            used = Used();
            if (used - before < TimeSpan.FromMilliseconds(60))
                break;
        }

        output.WriteLine($"the silos rested after {since.Elapsed.TotalSeconds:0} s");

        TimeSpan Used() => Enumerable.Range(0, console.Cluster.Count).Aggregate(TimeSpan.Zero, (sum, silo) =>
        {
            using var process = System.Diagnostics.Process.GetProcessById(console.Cluster[silo].ProcessId);
            return sum + process.TotalProcessorTime;
        });
    }

    /// <summary>A page that is left open does not grow: what comes in pushes the oldest out.</summary>
    [Fact]
    public async Task LongStream_LeavesThePageAsSmallAsItWas()
    {
        await using var page = await console.OpenAsync(silo: 0, script: Stream);
        await Expect(page.Page.Locator(".tile")).ToHaveCountAsync(1000);
        const string night = """
            async () => {
              for (let second = 0; second < 20_000; second++) {
                tell('timeline', { entry: second, count: 1, at: new Date(1e12 + second * 1000).toISOString(), kind: 'rebalance', groupId: 'g', text: `entry ${second}` });
                tell('rates', { at: new Date().toISOString(), topics: { 'topic-1': { recordsIn: 1, bytesIn: 2, bytesOut: 3 } }, successes: Array(10).fill(5), errors: Array(10).fill(0) });
              }
              await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 50)));
              const { bins, feed, rates } = await import('/console/cluster/live.js');
              return { feed: feed.value.length, newest: feed.value[0].text, bins: bins.ring.length, rates: rates.get('topic-1').length, lines: document.querySelectorAll('.feed li').length };
            }
            """;
        var seen = await page.Page.EvaluateAsync<JsonElement>(night);
        Assert.Equal("entry 19999", seen.GetProperty("newest").GetString());
        Assert.Equal(200, seen.GetProperty("feed").GetInt32());
        Assert.Equal(1200, seen.GetProperty("bins").GetInt32());
        Assert.Equal(60, seen.GetProperty("rates").GetInt32());
        Assert.Equal(30, seen.GetProperty("lines").GetInt32());
    }
}
