using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>Topics and records, by mouse and keys alone.</summary>
[Collection(ConsoleTests.Name)]
public sealed class TopicPageTests(ConsoleFixture console)
{
    [Fact]
    public async Task Topic_IsCreatedConfiguredAndDeleted()
    {
        const string topic = "by-hand";
        await using var page = await console.OpenAsync(silo: 0, "#/topics");
        await page.Button("Create topic").ClickAsync();
        await page.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name" }).FillAsync(topic);
        await page.Page.GetByLabel("Partitions").FillAsync("3");
        await page.Page.GetByLabel("Keep records").SelectOptionAsync("86400000");
        await page.ScreenshotAsync("topic-create");
        await page.Button("Create").ClickAsync();

        await Assertions.Expect(page.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync(topic);
        await Assertions.Expect(page.Page.Locator("tr.set")).ToContainTextAsync("retention.ms");
        await page.Button("Change max.message.bytes").ClickAsync();
        await page.Page.GetByLabel("max.message.bytes", new() { Exact = true }).FillAsync("2000000");
        await page.Button("Save").ClickAsync();
        await Assertions.Expect(page.Page.Locator("tr.set", new() { HasText = "max.message.bytes" })).ToContainTextAsync("2000000");
        await page.ScreenshotAsync("topic");

        await page.Button("Delete").ClickAsync();
        await Assertions.Expect(page.Button("Delete the topic")).ToBeDisabledAsync();
        await page.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Textbox).FillAsync(topic);
        await page.ScreenshotAsync("topic-delete");
        await page.Button("Delete the topic").ClickAsync();
        await Assertions.Expect(page.Page).ToHaveURLAsync($"{console.Cluster[0].HttpUrl}/#/topics");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Row, new() { Name = topic })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Record_TypedIn_IsShownAsTextAndFoundByItsAddress()
    {
        const string topic = "typed-in";
        await console.CreateTopicAsync(topic, partitions: 2);
        await using var page = await console.OpenAsync(silo: 0, $"#/records/{topic}");
        await page.Button("Produce").First.ClickAsync();
        var dialog = page.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Textbox, new() { Name = "Key" }).FillAsync("learner-7");
        await dialog.GetByLabel("Partition").SelectOptionAsync("1");
        await dialog.GetByLabel("Value").FillAsync("""{"type":"<img src=x onerror=alert(1)>","id":9007199254740993}""");
        await dialog.GetByLabel("Headers").FillAsync("trace: abc");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Produce", Exact = true }).ClickAsync();
        await Assertions.Expect(dialog).ToContainTextAsync("Written to partition 1 at offset 1");
        await page.ScreenshotAsync("record-produced");
        await dialog.GetByRole(AriaRole.Link).ClickAsync();

        var body = page.Page.Locator(".record-body");
        await Assertions.Expect(body.Locator(".json")).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Assertions.Expect(body.Locator(".json")).ToContainTextAsync("9007199254740993");
        await Assertions.Expect(body).ToContainTextAsync("trace");
        await Assertions.Expect(page.Page.Locator("main img")).ToHaveCountAsync(0);
        await page.ScreenshotAsync("record");
        await body.GetByRole(AriaRole.Group, new() { Name = "Show Value as" }).GetByText("hex").ClickAsync();
        await Assertions.Expect(body.Locator(".hex")).ToContainTextAsync("7b 22 74 79 70 65");
        await page.Page.GetByLabel("Filter records").FillAsync("nothing like it");
        await Assertions.Expect(page.Page.Locator(".record")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task LiveTail_ShowsWhatComes_AndHoldsItBackWhilePaused()
    {
        const string topic = "followed";
        await console.CreateTopicAsync(topic, partitions: 2);
        await using var page = await console.OpenAsync(silo: 0, $"#/records/{topic}?from=live");
        await Assertions.Expect(page.Page.GetByText("following")).ToBeVisibleAsync();
        await console.ProduceAsync(topic, "first");
        await Assertions.Expect(page.Page.Locator(".record")).ToHaveCountAsync(1);
        await page.Page.Keyboard.PressAsync("p");
        await console.ProduceAsync(topic, "second");
        await Assertions.Expect(page.Button("Go on (1 new)")).ToBeVisibleAsync();
        await Assertions.Expect(page.Page.Locator(".record")).ToHaveCountAsync(1);
        await page.Page.Keyboard.PressAsync("p");
        await Assertions.Expect(page.Page.Locator(".record").First).ToContainTextAsync("second");
        await page.ScreenshotAsync("records-live");
    }

    [Theory]
    [InlineData("topics", "light", 1280, false)]
    [InlineData("topics", "phone-dark", 360, true)]
    [InlineData("topics/looked-at", "dark", 1280, true)]
    [InlineData("topics/looked-at", "phone", 360, false)]
    [InlineData("records/looked-at", "dark", 1280, true)]
    [InlineData("records/looked-at", "phone", 360, false)]
    [InlineData("cluster/looked-at/1", "panel", 1280, false)]
    [InlineData("cluster/looked-at/1", "panel-phone", 360, true)]
    public async Task Page_FitsItsWindow(string place, string look, int width, bool dark)
    {
        await console.CreateTopicAsync("looked-at", partitions: 12);
        await using var page = await console.OpenAsync(silo: 1, $"#/{place}", new ConsoleLook(width, Height: 860, dark));
        await Assertions.Expect(page.Page.Locator(".list tbody tr, .record, .panel .facts").First).ToBeVisibleAsync();
        await page.ScreenshotAsync($"{place.Replace('/', '-')}-{look}");
        Assert.True(await page.OverflowAsync() <= 0, "the page is wider than its window");
    }
}
