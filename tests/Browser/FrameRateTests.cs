using System.Text.Json;

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

    /// <summary>In the first one the silos beside the browser have only just started.</summary>
    private const int Rounds = 3;

    /// <summary>A stream that opens at once, and tells what `window.tell` is given.</summary>
    private const string Stream = """
        window.EventSource = class extends EventTarget {
          constructor() {
            super();
            window.tell = (name, data) => this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: '1' }));
            setTimeout(() => { this.onopen?.(); this.start(); });
          }
          start() {
            window.places = Array.from({ length: 1000 }, (_, index) => ({ topic: `topic-${index % 10}`, partition: Math.floor(index / 10), nodeId: index % 3 + 1, leaderEpoch: 1, state: 'open' }));
            const silos = [1, 2, 3].map((nodeId) => ({ nodeId, name: `silo-${nodeId}`, address: `10.0.0.${nodeId}:11111`, state: 'active' }));
            tell('snapshot', { now: new Date().toISOString(), silos, partitions: places, topics: {}, groups: [], timeline: [] });
          }
          close() {}
        };
        """;

    /// <summary>Silo 2 goes; each of its partitions is away, and opens elsewhere within a second. Meanwhile frames are counted.</summary>
    private const string Migration = """
        async (round) => {
          const frames = [];
          let on = true;
          const count = (at) => { frames.push(at); if (on) requestAnimationFrame(count); };
          requestAnimationFrame(count);
          // As a busy cluster tells it: rates of every topic and entries of the timeline all the while.
          let entry = 1e6;
          const busy = setInterval(() => {
            const topics = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`topic-${index}`, { recordsIn: entry % 997, bytesIn: entry, bytesOut: entry }]));
            tell('rates', { at: new Date().toISOString(), topics, successes: Array(10).fill(entry % 50), errors: Array(10).fill(0) });
            tell('timeline', { entry: entry++, count: 1, at: new Date().toISOString(), kind: 'first-append', text: `entry ${entry}` });
          }, 100);
          const moving = places.filter((place) => place.nodeId === 2);
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
          const gaps = frames.slice(1).map((at, index) => at - frames[index]);
          return { perSecond: 1000 * gaps.length / (frames.at(-1) - frames[0]), longest: Math.max(...gaps), nodes: document.querySelectorAll('*').length };
        }
        """;

    [Fact]
    public async Task ThousandPartitions_KeepMoving()
    {
        await using var page = await console.OpenAsync(silo: 0, script: Stream);
        await Microsoft.Playwright.Assertions.Expect(page.Page.Locator(".tile")).ToHaveCountAsync(1000);
        await page.ScreenshotAsync("cluster-1000");
        var perSecond = 0.0;
        for (var round = 1; round <= Rounds; round++)
        {
            await page.Page.EvaluateAsync("round => { for (const place of places) tell('partition', { ...place, leaderEpoch: 10 * round, state: 'open' }); }", round);
            var seen = await page.Page.EvaluateAsync<JsonElement>(Migration, round);
            perSecond = Math.Max(perSecond, seen.GetProperty("perSecond").GetDouble());
            output.WriteLine($"round {round}: {seen.GetProperty("perSecond").GetDouble():0} frames/s, the longest {seen.GetProperty("longest").GetDouble():0} ms, {seen.GetProperty("nodes").GetInt32()} elements");
        }

        await page.ScreenshotAsync("cluster-1000-after");
        Assert.Equal(0, await page.Page.Locator(".tile[aria-label*=\"on silo-2,\"]").CountAsync());
        Assert.True(perSecond >= FewestFramesPerSecond, $"{perSecond:0.0} frames per second");
    }

    /// <summary>A page that is left open does not grow: what comes in pushes the oldest out.</summary>
    [Fact]
    public async Task LongStream_LeavesThePageAsSmallAsItWas()
    {
        await using var page = await console.OpenAsync(silo: 0, script: Stream);
        await Microsoft.Playwright.Assertions.Expect(page.Page.Locator(".tile")).ToHaveCountAsync(1000);
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
