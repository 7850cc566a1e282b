using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>The cluster page, while a silo dies and comes back.</summary>
[Collection(ConsoleTests.Name)]
public sealed class ClusterPageTests(ConsoleFixture console)
{
    private const int Partitions = 12;
    private const int Victim = 2;

    /// <summary>Two seconds on a machine that has nothing else to do; an order of magnitude here.</summary>
    private const float ShownWithinMs = 10_000;

    [Fact]
    public async Task Kill_IsShownWithTheMigrationOfItsPartitions()
    {
        await using var page = await console.OpenAsync(silo: 0);
        const string topic = "migrated";
        await console.CreateTopicAsync(topic, Partitions);
        await Assertions.Expect(page.Tiles(topic, "open")).ToHaveCountAsync(Partitions);
        await Assertions.Expect(OnVictim(page, topic)).Not.ToHaveCountAsync(0);
        await using var abandoned = await console.OpenAsync(Victim);
        await Assertions.Expect(abandoned.Page.Locator(".badge.live")).ToBeVisibleAsync();
        await using var tail = await console.OpenAsync(Victim, $"#/records/{topic}?from=live");
        await Assertions.Expect(tail.Page.GetByText("following")).ToBeVisibleAsync();
        abandoned.ForgiveLostConnections();
        tail.ForgiveLostConnections();

        console.Cluster[Victim].Kill();

        await Assertions.Expect(Silo(page, "dead")).ToBeVisibleAsync(new() { Timeout = ShownWithinMs });
        await Assertions.Expect(Silo(page, "dead").Locator("h2")).ToHaveCSSAsync("text-decoration-line", "line-through");
        await Assertions.Expect(Silo(page, "dead")).ToHaveCSSAsync("background-color", "rgb(240, 240, 237)");
        await Assertions.Expect(OnVictim(page, topic)).ToHaveCountAsync(0, new() { Timeout = ShownWithinMs });
        await Assertions.Expect(page.Tiles(topic, "open")).ToHaveCountAsync(Partitions, new() { Timeout = ShownWithinMs });
        await page.ScreenshotAsync("cluster-after-kill");
        await Assertions.Expect(page.Page.Locator(".steps li").First).ToContainTextAsync("killed");
        await Assertions.Expect(page.Page.Locator(".steps")).ToContainTextAsync("declared dead");
        await Assertions.Expect(page.Page.Locator(".steps")).ToContainTextAsync("first leader epoch raised");
        await Assertions.Expect(page.Page.Locator(".feed")).ToContainTextAsync("declared dead");
        await Assertions.Expect(abandoned.Page.GetByRole(AriaRole.Button, new() { Name = "reconnecting" })).ToBeVisibleAsync();

        // What is announced does not count down with it.
        await Assertions.Expect(abandoned.Page.Locator(".tools [role=status]")).ToHaveTextAsync("The connection is lost. The page reconnects by itself.");
        await abandoned.ScreenshotAsync("connection-lost");
        await console.ProduceAsync(topic, "while it was away");

        await console.Cluster.StartAsync(Victim);

        await Assertions.Expect(Silo(page, "active")).ToBeVisibleAsync();
        await Assertions.Expect(abandoned.Page.Locator(".badge.live")).ToBeVisibleAsync();
        await Assertions.Expect(tail.Page.Locator(".record")).ToContainTextAsync("while it was away");
        await Assertions.Expect(OnVictim(page, topic)).Not.ToHaveCountAsync(0, new() { Timeout = 60_000 });
        // What the silo practised with before it came back is nobody's business.
        await Assertions.Expect(page.Page.Locator(".legend")).Not.ToContainTextAsync(new System.Text.RegularExpressions.Regex("[0-9a-f]{8}-[0-9a-f]{4}-"));
        await Assertions.Expect(page.Page.Locator(".heading .sum")).Not.ToContainTextAsync("not available");
        await page.ScreenshotAsync("cluster-after-return");
    }

    [Fact]
    public async Task Drain_HandsTheSilosPartitionsOver_AndTheSiloLeaves()
    {
        const string topic = "drained";
        await console.CreateTopicAsync(topic, Partitions);
        await using var page = await console.OpenAsync(silo: 0);
        await Assertions.Expect(page.Tiles(topic, "open")).ToHaveCountAsync(Partitions);
        await Assertions.Expect(OnVictim(page, topic)).Not.ToHaveCountAsync(0);

        await page.Button($"Drain silo-{Victim}").ClickAsync();
        var dialog = page.Page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog).ToContainTextAsync($"silo-{Victim} hands its");
        await page.ScreenshotAsync("cluster-drain");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Drain", Exact = true }).ClickAsync();

        await Assertions.Expect(Silo(page, "left")).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Assertions.Expect(OnVictim(page, topic)).ToHaveCountAsync(0);
        await Assertions.Expect(page.Tiles(topic, "open")).ToHaveCountAsync(Partitions);
        await Assertions.Expect(page.Page.Locator(".feed")).ToContainTextAsync($"silo-{Victim} has left in order.");
        await Assertions.Expect(page.Page.Locator(".feed")).ToContainTextAsync("moved to");
        await Assertions.Expect(page.Button($"Drain silo-{Victim}")).ToHaveCountAsync(0);
        await page.ScreenshotAsync("cluster-after-drain");
        Assert.Equal(0, await console.Cluster[Victim].EndedAsync());

        await console.Cluster.StartAsync(Victim);
        await Assertions.Expect(Silo(page, "active")).ToBeVisibleAsync();
        await Assertions.Expect(OnVictim(page, topic)).Not.ToHaveCountAsync(0, new() { Timeout = 60_000 });
    }

    [Theory]
    [InlineData("light", 1280, false)]
    [InlineData("dark", 1280, true)]
    [InlineData("phone", 360, false)]
    [InlineData("phone-dark", 360, true)]
    public async Task Page_FitsItsWindow(string look, int width, bool dark)
    {
        await console.CreateTopicAsync("looked-at", Partitions);
        await using var page = await console.OpenAsync(silo: 1, look: new ConsoleLook(width, Height: 860, dark));
        await Assertions.Expect(page.Tiles("looked-at", "open")).ToHaveCountAsync(Partitions);
        await page.ScreenshotAsync($"cluster-{look}");
        Assert.True(await page.OverflowAsync() <= 0, "the page is wider than its window");
    }

    [Fact]
    public async Task Keys_AreListedAndWork()
    {
        await console.CreateTopicAsync("by-key", Partitions);
        await using var page = await console.OpenAsync(silo: 1);
        await Assertions.Expect(page.Tiles("by-key", "open")).ToHaveCountAsync(Partitions);
        await page.Page.Keyboard.PressAsync("?");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("This list");
        await page.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);

        await page.Page.Keyboard.PressAsync("t");
        await page.Page.Keyboard.PressAsync("t");
        await Assertions.Expect(page.Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");

        await page.Page.Locator(".tile[tabindex=\"0\"]").FocusAsync();
        var first = await FocusedTileAsync(page);
        await page.Page.Keyboard.PressAsync("ArrowRight");
        var second = await FocusedTileAsync(page);
        await page.Page.Keyboard.PressAsync("ArrowLeft");
        Assert.NotEqual(first, second);
        Assert.Equal(first, await FocusedTileAsync(page));
        await Assertions.Expect(page.Page.Locator(".tile[tabindex=\"0\"]")).ToHaveCountAsync(1);
    }

    private static ILocator Silo(ConsolePage page, string state) => page.Page.Locator($"section.silo.{state}[aria-label=\"silo-{Victim}\"]");

    private static ILocator OnVictim(ConsolePage page, string topic) => page.Page.Locator($".tile[data-key^=\"{topic}/\"][aria-label*=\"on silo-{Victim},\"]");

    private static Task<string?> FocusedTileAsync(ConsolePage page) => page.Page.EvaluateAsync<string?>("() => document.activeElement.dataset.key ?? null");
}
