using Confluent.Kafka;
using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>A group that real consumers are in: who owns what, and where it is.</summary>
[Collection(ConsoleTests.Name)]
public sealed class GroupPageTests(ConsoleFixture console)
{
    private const int Partitions = 4;

    [Theory]
    [InlineData("light", 1280, false)]
    [InlineData("phone-dark", 360, true)]
    public async Task Group_ShowsItsMembersAndPositions(string look, int width, bool dark)
    {
        var (group, topic) = ($"readers-{look}", $"read-{look}");
        await console.CreateTopicAsync(topic, Partitions);
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig
        {
            BootstrapServers = console.Cluster[0].KafkaBootstrap,
            GroupId = group,
            ClientId = "the-reader",
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
        }).Build();
        consumer.Subscribe(topic);
        for (var read = 0; read < Partitions; read++)
            Assert.NotNull(consumer.Consume(TimeSpan.FromSeconds(40)));
        consumer.Commit();
        await console.ProduceAsync(topic, "not read");

        await using var page = await console.OpenAsync(silo: 1, $"#/groups/{group}", new ConsoleLook(width, Height: 860, dark));
        await Assertions.Expect(page.Page.Locator(".matrix tbody th")).ToContainTextAsync("the-reader");
        await Assertions.Expect(page.Page.Locator(".matrix td.owned")).ToHaveCountAsync(Partitions);
        await Assertions.Expect(page.Page.Locator(".ruler")).ToHaveCountAsync(Partitions);
        await Assertions.Expect(page.Page.Locator(".ruler").First).ToContainTextAsync("1 behind");
        await page.ScreenshotAsync($"group-{look}");
        Assert.True(await page.OverflowAsync() <= 0, "the page is wider than its window");

        // A flag that is moved asks for a plan, and changes nothing by itself.
        await page.Page.Locator(".flag").First.FocusAsync();
        await page.Page.Keyboard.PressAsync("Home");
        await Assertions.Expect(page.Button("Plan")).ToBeVisibleAsync();
        await page.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Button("Plan")).ToHaveCountAsync(0);
        Assert.All(consumer.Committed(consumer.Assignment, TimeSpan.FromSeconds(20)), committed => Assert.True(committed.Offset >= 1));
        consumer.Close();
    }
}
