using System.Text.RegularExpressions;
using Confluent.Kafka;
using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>A group that real consumers are in: who owns what, and where it is.</summary>
[Collection(ConsoleTests.Name)]
public sealed partial class GroupPageTests(ConsoleFixture console)
{
    private const int Partitions = 4;

    [Fact]
    public async Task Group_ShowsItsMembersAndPositions()
    {
        const string group = "readers", topic = "read";
        await console.CreateTopicAsync(topic, Partitions);
        using var consumer = Open(group);
        consumer.Subscribe(topic);
        for (var read = 0; read < Partitions; read++)
            Assert.NotNull(consumer.Consume(TimeSpan.FromSeconds(40)));
        consumer.Commit();
        using (var other = Open("other-readers"))
            other.Commit([new TopicPartitionOffset(topic, 0, 0)]);
        await console.ProduceAsync(topic, "not read");

        // Both looks at once: how fast a group reads is known after two samples.
        await using var light = await console.OpenAsync(silo: 1, $"#/groups/{group}");
        await using var phone = await console.OpenAsync(silo: 1, $"#/groups/{group}", new ConsoleLook(Width: 360, Height: 860, Dark: true));
        foreach (var (page, look) in new[] { (light, "light"), (phone, "phone-dark") })
        {
            var first = page.Page.Locator(".ruler").First;
            await Assertions.Expect(page.Page.Locator(".matrix tbody th")).ToContainTextAsync("the-reader");
            await Assertions.Expect(page.Page.Locator(".matrix td.owned")).ToHaveCountAsync(Partitions);
            await Assertions.Expect(page.Page.Locator(".ruler")).ToHaveCountAsync(Partitions);
            await Assertions.Expect(first).ToContainTextAsync(BehindInRecordsAndTime());
            await Assertions.Expect(first).ToContainTextAsync("never, at this speed");
            await Assertions.Expect(first.Locator(".pennant")).ToHaveCountAsync(1);
            await Assertions.Expect(first).ToContainTextAsync("also read by other-readers");
            await Assertions.Expect(Fact(page, "In time")).ToContainTextAsync(InTime());
            await Assertions.Expect(Fact(page, "Will be there")).ToContainTextAsync("never");
            await page.ScreenshotAsync($"group-{look}");
            Assert.True(await page.OverflowAsync() <= 0, "the page is wider than its window");
        }

        // A flag that is moved asks for a plan, and changes nothing by itself.
        var flag = light.Page.Locator(".flag").First;
        await flag.FocusAsync();
        await light.Page.Keyboard.PressAsync("Home");
        await Assertions.Expect(light.Button("Plan")).ToBeVisibleAsync();
        await light.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(light.Button("Plan")).ToHaveCountAsync(0);

        // Dragged and let go it shows the plan.
        await flag.DragToAsync(light.Page.Locator(".track").First, new() { TargetPosition = new() { X = 1, Y = 5 } });
        await Assertions.Expect(light.Page.GetByRole(AriaRole.Dialog).Locator(".plan-sum")).ToContainTextAsync("1 record");
        await light.Page.Keyboard.PressAsync("Escape");
        Assert.All(consumer.Committed(consumer.Assignment, TimeSpan.FromSeconds(20)), committed => Assert.True(committed.Offset >= 1));
        consumer.Close();
    }

    [Fact]
    public async Task Reset_GoesToTheEndByItsPlan_AndIsUndone()
    {
        const string group = "replaying", topic = "replayed";
        await console.CreateTopicAsync(topic, partitions: 1);
        for (var number = 1; number < 5; number++)
            await console.ProduceAsync(topic, $"record {number}");
        using var consumer = Open(group);
        consumer.Subscribe(topic);
        for (var read = 0; read < 4; read++)
            Assert.NotNull(consumer.Consume(TimeSpan.FromSeconds(40)));
        consumer.Commit();
        await using var page = await console.OpenAsync(silo: 1, $"#/groups/{group}");
        var (dialog, at) = (page.Page.GetByRole(AriaRole.Dialog), page.Page.Locator(".ruler-ends .at"));
        await Assertions.Expect(at).ToHaveTextAsync("4");

        // With a member: the plan is shown, and is not executed unless it is said so.
        await page.Page.Locator(".flag").FocusAsync();
        await page.Page.Keyboard.PressAsync("Home");
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(dialog.Locator(".plan-sum")).ToContainTextAsync(ReadAgain());
        await Assertions.Expect(dialog.Locator(".plan tbody tr")).ToHaveTextAsync(PlanRow());
        await Assertions.Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Reset…" })).ToBeDisabledAsync();
        await page.ScreenshotAsync("group-reset-plan");
        await dialog.GetByRole(AriaRole.Checkbox).CheckAsync();
        await dialog.GetByRole(AriaRole.Textbox, new() { Name = "Reason" }).FillAsync("a bad deployment");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Reset…" }).ClickAsync();
        Assert.Equal(4, CommittedBy(consumer));
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Yes, reset" }).ClickAsync();

        var history = page.Page.Locator(".resets li");
        await Assertions.Expect(history.First).ToContainTextAsync($"{topic} 0: 4 → 0, while it had members, “a bad deployment”");
        await Assertions.Expect(at).ToHaveTextAsync("0");
        Assert.Equal(0, CommittedBy(consumer));
        await page.ScreenshotAsync("group-after-reset");

        // Without members nothing has to be insisted on. The undoing is a reset with a plan too.
        consumer.Close();
        await Assertions.Expect(page.Page.GetByText("No members: nobody reads")).ToBeVisibleAsync();
        await Assertions.Expect(page.Page.Locator("section", new() { HasText = "Rebalances" }).Locator(".log li").First).ToContainTextAsync("left");
        await history.First.GetByRole(AriaRole.Button, new() { Name = "Undo…" }).ClickAsync();
        await Assertions.Expect(dialog.Locator(".plan-sum")).ToContainTextAsync("would be passed over");
        await Assertions.Expect(dialog.GetByRole(AriaRole.Checkbox)).ToHaveCountAsync(0);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Reset…" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Yes, reset" }).ClickAsync();
        await Assertions.Expect(history).ToHaveCountAsync(2);
        await Assertions.Expect(at).ToHaveTextAsync("4");

        await page.Button("Delete").ClickAsync();
        await dialog.GetByRole(AriaRole.Textbox).FillAsync(group);
        await page.Button("Delete the group").ClickAsync();
        await Assertions.Expect(page.Page).ToHaveURLAsync($"{console.Cluster[1].HttpUrl}/#/groups");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Groups");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Row, new() { Name = group })).ToHaveCountAsync(0);
    }

    [GeneratedRegex(@"1 behind, [\d.]+ (ms|s|min)")]
    private static partial Regex BehindInRecordsAndTime();

    [GeneratedRegex(@"In time[\d.]+ (ms|s|min)")]
    private static partial Regex InTime();

    [GeneratedRegex(@"^4 records \(\d+ B\) would be read again\.$")]
    private static partial Regex ReadAgain();

    [GeneratedRegex(@"^replayed 0\s*4\s*0\s*4 records read again\s*\d+ B$")]
    private static partial Regex PlanRow();

    private static ILocator Fact(ConsolePage page, string name) => page.Page.Locator(".facts > div", new() { HasText = name });

    private static long CommittedBy(IConsumer<Ignore, string> consumer) => consumer.Committed(consumer.Assignment, TimeSpan.FromSeconds(20)).Single().Offset;

    private IConsumer<Ignore, string> Open(string group) => new ConsumerBuilder<Ignore, string>(new ConsumerConfig
    {
        BootstrapServers = console.Cluster[0].KafkaBootstrap,
        GroupId = group,
        ClientId = "the-reader",
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,
    }).Build();
}
