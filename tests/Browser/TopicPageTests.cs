using System.Text.RegularExpressions;
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
        await page.Button("Reset max.message.bytes to its default").ClickAsync();
        await Assertions.Expect(page.Page.Locator("tr.set", new() { HasText = "max.message.bytes" })).ToHaveCountAsync(0);
        await page.Button("More partitions").ClickAsync();
        await page.Page.GetByRole(AriaRole.Dialog).GetByLabel("Partitions").FillAsync("5");
        await page.Button("Grow to 5").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".heading .sum")).ToContainTextAsync("5 partitions");

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
        const string value = """{"type":"<img src=x onerror=alert(1)>","id":9007199254740993, "b" : 1.10,"1":1e400,"1":"\u00fc"}""";
        await dialog.GetByLabel("Value").FillAsync(value);
        await dialog.GetByRole(AriaRole.Checkbox, new() { Name = "JSON, checked" }).CheckAsync();
        await dialog.GetByLabel("Headers").FillAsync("trace: abc");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Produce", Exact = true }).ClickAsync();
        await Assertions.Expect(dialog).ToContainTextAsync("Written to partition 1 at offset 1");
        await page.ScreenshotAsync("record-produced");

        // A text that is JSON keeps its quotes; what is none is not sent.
        await dialog.GetByLabel("Value").FillAsync("\"x\"");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Produce", Exact = true }).ClickAsync();
        await Assertions.Expect(dialog).ToContainTextAsync("Written to partition 1 at offset 2");
        await dialog.GetByLabel("Value").FillAsync("{");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Produce", Exact = true }).ClickAsync();
        await Assertions.Expect(dialog.GetByRole(AriaRole.Alert)).ToContainTextAsync("not JSON");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).First.ClickAsync();
        await Assertions.Expect(page.Page.Locator(".record-line .value").GetByText("\"x\"", new() { Exact = true })).ToBeVisibleAsync();
        await page.GoAsync($"{console.Cluster[0].HttpUrl}/#/records/{topic}?partition=1&from=offset&offset=1");

        var body = page.Page.Locator(".record-body");
        await Assertions.Expect(body.Locator(".json")).ToContainTextAsync("<img src=x onerror=alert(1)>");
        await Assertions.Expect(body.Locator(".json")).ToContainTextAsync("9007199254740993");
        await Assertions.Expect(body).ToContainTextAsync("trace");
        await Assertions.Expect(page.Page.Locator("main img")).ToHaveCountAsync(0);
        await Assertions.Expect(body.Locator(".json")).ToContainTextAsync("\"b\": 1.10, \"1\": 1e400, \"1\": \"ü\" }");
        await page.ScreenshotAsync("record");
        await body.GetByRole(AriaRole.Group, new() { Name = "Show Value as" }).GetByText("UTF-8").ClickAsync();
        Assert.Equal(value, await body.Locator(".part").Nth(1).Locator("pre").TextContentAsync());
        await body.GetByRole(AriaRole.Group, new() { Name = "Show Value as" }).GetByText("hex").ClickAsync();
        await Assertions.Expect(body.Locator(".hex")).ToContainTextAsync("7b 22 74 79 70 65");
        await page.Page.GetByLabel("Filter records").FillAsync("nothing like it");
        await Assertions.Expect(page.Page.Locator(".record")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Records_AreFoundByOffsetOverAllPartitions_ByTime_AndByAFilterThatScansBack()
    {
        const string topic = "searched";
        await console.CreateTopicAsync(topic, partitions: 2);
        await console.ProduceAsync(topic, "the needle", partition: 1);
        await Task.WhenAll(Enumerable.Range(0, 120).Select(number => console.ProduceAsync(topic, $"hay {number}", partition: 1)));
        await using var page = await console.OpenAsync(silo: 0, $"#/records/{topic}?from=offset&offset=121");
        var records = page.Page.Locator(".record");

        // The other partition has no such offset.
        await Assertions.Expect(records).ToHaveCountAsync(1);
        await Assertions.Expect(records.Locator(".o")).ToHaveTextAsync("121");

        // The newest come first to hand; what is older is looked for from there.
        await page.Button("Newest").ClickAsync();
        await Assertions.Expect(records).ToHaveCountAsync(51);
        await page.Page.GetByLabel("Filter records").FillAsync("needle");
        await Assertions.Expect(records).ToHaveCountAsync(0);
        await page.Button("Scan back").ClickAsync();
        await Assertions.Expect(records).ToHaveCountAsync(1);
        await Assertions.Expect(page.Page.Locator(".status")).ToContainTextAsync("72 records scanned, 1 found");
        await page.ScreenshotAsync("records-scanned");

        // By key alone there is none, and the address says so.
        await page.Page.GetByRole(AriaRole.Checkbox, new() { Name = "key only" }).CheckAsync();
        await Assertions.Expect(records).ToHaveCountAsync(0);
        await Assertions.Expect(page.Page).ToHaveURLAsync(new Regex("filter=needle&keyOnly=1"));

        await page.GoAsync($"{console.Cluster[0].HttpUrl}/#/records/{topic}?from=time&time={DateTime.UtcNow.AddHours(-1):yyyy-MM-ddTHH:mm:ssZ}&filter=opened");
        await Assertions.Expect(records).ToHaveCountAsync(2);
        await page.GoAsync($"{console.Cluster[0].HttpUrl}/#/records/{topic}?from=time&time={DateTime.UtcNow.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}");
        await Assertions.Expect(page.Page.GetByText("No records here")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task LiveTail_ThatIsRefused_GoesOnWhereItWas_AndSaysWhatExpired()
    {
        const string topic = "refused";
        await console.CreateTopicAsync(topic, partitions: 1);
        await console.ProduceAsync(topic, """{"missed":9007199254740993}""");
        await using var page = await console.OpenAsync(silo: 0, "#/topics");
        page.ForgiveLostConnections();
        var tries = 0;
        await page.Page.RouteAsync("**/stream?*", route => ++tries switch
        {
            1 => route.FulfillAsync(new() { ContentType = "text/event-stream", Body = "id: 0:1\n\nevent: gap\ndata: {\"partition\":0,\"from\":0,\"to\":1}\n\n" }),
            // A gateway that has not heard of all partitions yet says this of a place that is good.
            2 => route.FulfillAsync(new() { Status = 400, ContentType = "application/problem+json", Body = """{"detail":"no such partition","field":"Last-Event-ID"}""" }),
            _ => route.ContinueAsync(),
        });
        await page.GoAsync($"{console.Cluster[0].HttpUrl}/#/records/{topic}?from=live");
        await Assertions.Expect(page.Page.Locator(".record.expired")).ToContainTextAsync("1 record expired before this page could read it");
        await Assertions.Expect(page.Page.Locator(".record").First).ToContainTextAsync("9007199254740993");
        await Assertions.Expect(page.Page.GetByText("following")).ToBeVisibleAsync();
        Assert.Equal(3, tries);
        await page.ScreenshotAsync("records-live-expired");
    }

    [Fact]
    public async Task LiveTail_OfATopicMadeAnew_SaysSo_AndFollowsTheNewOne()
    {
        const string topic = "made-anew";
        await console.CreateTopicAsync(topic, partitions: 1);
        await using var page = await console.OpenAsync(silo: 0, $"#/records/{topic}?from=live");
        page.ForgiveLostConnections();
        await Assertions.Expect(page.Page.GetByText("following")).ToBeVisibleAsync();
        await console.ProduceAsync(topic, "of the old one");
        await Assertions.Expect(page.Page.Locator(".record")).ToContainTextAsync("of the old one");

        Assert.True((await page.Page.APIRequest.DeleteAsync($"{console.Cluster[0].HttpUrl}/topics/{topic}")).Ok);
        await console.CreateTopicAsync(topic, partitions: 1);
        await Assertions.Expect(page.Page.Locator(".note")).ToContainTextAsync("was deleted and made anew");
        await Assertions.Expect(page.Page.Locator(".record")).ToContainTextAsync("\"opened\":0");
        await page.ScreenshotAsync("records-live-anew");
        await console.ProduceAsync(topic, "of the new one");
        await Assertions.Expect(page.Page.Locator(".record").First).ToContainTextAsync("of the new one");
        await page.Button("Understood").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".note")).ToHaveCountAsync(0);
    }

    /// <summary>A tab that nobody looked at for a night does not fetch the night.</summary>
    [Fact]
    public async Task LiveTail_ThatSleptForAnHour_BeginsWithTheNewest_AndSaysSo()
    {
        const string topic = "an-hour-later";
        await console.CreateTopicAsync(topic, partitions: 1);
        await using var page = await console.OpenAsync(silo: 0, $"#/records/{topic}?from=live");
        await Assertions.Expect(page.Page.GetByText("following")).ToBeVisibleAsync();
        await console.ProduceAsync(topic, "before");
        await Assertions.Expect(page.Page.Locator(".record")).ToHaveCountAsync(1);
        const string hide = """
            () => {
              window.look = (hidden) => {
                Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
              };
              look(true);
              const now = Date.now.bind(Date);
              Date.now = () => now() + 3_600_000;
            }
            """;
        await page.Page.EvaluateAsync(hide);
        var again = await page.Page.RunAndWaitForRequestAsync(() => page.Page.EvaluateAsync("() => look(false)"), request => request.Url.Contains($"/topics/{topic}/stream", StringComparison.Ordinal));
        Assert.EndsWith("from=-500", again.Url, StringComparison.Ordinal);
        Assert.DoesNotContain("last-event-id", again.Headers.Keys);
        await Assertions.Expect(page.Page.Locator(".note")).ToContainTextAsync("This page slept for 1 h and goes on with the newest 500 records.");

        // The two that there are, each once.
        await Assertions.Expect(page.Page.Locator(".record")).ToHaveCountAsync(2);
        await console.ProduceAsync(topic, "after");
        await Assertions.Expect(page.Page.Locator(".record").First).ToContainTextAsync("after");
        await page.ScreenshotAsync("records-live-slept");
    }

    /// <summary>A browser has six connections to a server: a page that nobody looks at keeps none.</summary>
    [Fact]
    public async Task Stream_OfAHiddenPage_Sleeps_AndGoesOnWhereItWas()
    {
        const string topic = "slept-over";
        await console.CreateTopicAsync(topic, partitions: 1);
        var page = await console.ModulesAsync();
        const string fallAsleep = """
            async (topic) => {
              const { LiveStream } = await import('/console/core/stream.js');
              const look = (hidden) => {
                Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
              };
              const came = (state) => new Promise((resolve) => { window.onState = (now) => now === state && resolve(); });
              const record = new Promise((resolve) => { window.onRecord = resolve; });
              const opened = came('open');
              const stream = new LiveStream({ address: `/topics/${topic}/stream?from=latest`, sleepsAfter: 100, state: (state) => window.onState(state), events: { record: (one) => window.onRecord(one) } });
              await opened;
              const asleep = came('asleep');
              look(true);
              await asleep;
              window.wake = async () => {
                look(false);
                const { value } = await record;
                stream.close();
                return value.text;
              };
            }
            """;
        await page.EvaluateAsync(fallAsleep, topic);
        await console.ProduceAsync(topic, "while asleep");
        Assert.Equal("while asleep", await page.EvaluateAsync<string>("() => wake()"));
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

        // A stream leaves out the carriage returns of JSON that is written over several lines.
        await console.ProduceAsync(topic, "{\r\n\"third\":1}");
        await page.Page.Locator(".record-line", new() { HasText = "third" }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Group, new() { Name = "Show Value as" }).GetByText("UTF-8").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".record-body")).ToContainTextAsync("Without 1 carriage return that a live stream cannot carry");
        await page.ScreenshotAsync("records-live");
    }

    /// <summary>What is written while somebody looks at the list is in the sizes that it shows.</summary>
    [Fact]
    public async Task TopicList_FollowsTheSizes()
    {
        const string topic = "growing";
        await console.CreateTopicAsync(topic, partitions: 1);
        await using var page = await console.OpenAsync(silo: 0, "#/topics");
        var size = page.Page.GetByRole(AriaRole.Row, new() { Name = topic }).Locator("td[data-label=Size]");
        await Assertions.Expect(size).ToHaveTextAsync(new Regex(@"^\d+ B$"));
        await console.ProduceAsync(topic, new string('x', 5000));
        await Assertions.Expect(size).ToHaveTextAsync(new Regex(@"^5\.\d kB$"));
        await page.ScreenshotAsync("topics-sizes");
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
