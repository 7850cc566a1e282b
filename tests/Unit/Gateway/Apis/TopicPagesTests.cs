using Granary.Gateway.Kafka.Apis;

namespace Granary.Unit.Gateway.Apis;

public sealed class TopicPagesTests
{
    private static readonly Dictionary<string, int> s_topics = new() { ["c"] = 1, ["a"] = 3, ["b"] = 2 };

    [Fact]
    public void Cut_WithRoomForAll_ShowsTopicsInTheOrderOfTheirNames()
    {
        var (page, next) = TopicPages.Cut(s_topics.Keys, Count, from: null, limit: 6);

        Assert.Equal([Slice("a", 0, 3), Slice("b", 0, 2), Slice("c", 0, 1)], page);
        Assert.Null(next);
    }

    [Fact]
    public void Cut_InsideOfATopic_GoesOnWithItsNextPartition()
    {
        var (page, next) = TopicPages.Cut(s_topics.Keys, Count, from: null, limit: 4);

        Assert.Equal([Slice("a", 0, 3), Slice("b", 0, 1)], page);
        Assert.Equal(new PageCursor("b", 1), next);
    }

    [Fact]
    public void Cut_AtTheEndOfATopic_GoesOnWithTheNextTopic()
    {
        var (page, next) = TopicPages.Cut(s_topics.Keys, Count, from: null, limit: 3);

        Assert.Equal([Slice("a", 0, 3)], page);
        Assert.Equal(new PageCursor("b", 0), next);
    }

    [Fact]
    public void Cut_FromACursor_LeavesOutWhatCameBefore()
    {
        var (page, next) = TopicPages.Cut(s_topics.Keys, Count, new PageCursor("b", 1), limit: 10);

        Assert.Equal([Slice("b", 1, 2), Slice("c", 0, 1)], page);
        Assert.Null(next);
    }

    [Fact]
    public void Cut_FromACursorOfADeletedTopic_GoesOnWithTheNextName()
    {
        var (page, next) = TopicPages.Cut(s_topics.Keys, Count, new PageCursor("aa", 7), limit: 10);

        Assert.Equal([Slice("b", 0, 2), Slice("c", 0, 1)], page);
        Assert.Null(next);
    }

    [Fact]
    public void Cut_FromACursorBeyondTheTopicsEnd_ShowsNoPartitionOfIt()
    {
        var (page, _) = TopicPages.Cut(s_topics.Keys, Count, new PageCursor("b", 9), limit: 10);

        Assert.Equal([Slice("b", 2, 2), Slice("c", 0, 1)], page);
    }

    [Fact]
    public void Cut_WithTopicsThatDoNotExist_ShowsThemWithoutTakingRoom()
    {
        var (page, next) = TopicPages.Cut(["a", "aa", "ab", "b"], Count, from: null, limit: 3);

        Assert.Equal(
            [Slice("a", 0, 3), new TopicSlice("aa", 0, 0, Exists: false), new TopicSlice("ab", 0, 0, Exists: false)],
            page);
        Assert.Equal(new PageCursor("b", 0), next);
    }

    [Fact]
    public void Cut_WithANameAskedTwice_ShowsItOnce()
    {
        var (page, _) = TopicPages.Cut(["c", "c"], Count, from: null, limit: 10);

        Assert.Equal([Slice("c", 0, 1)], page);
    }

    [Fact]
    public void Cut_PageAfterPage_ShowsEveryPartitionOnce()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var topics = Enumerable.Range(0, random.Next(0, 12)).ToDictionary(i => $"t{i}", _ => random.Next(1, 9));
            var limit = random.Next(1, 15);
            var shown = new List<(string, int)>();
            PageCursor? cursor = null;
            do
            {
                var (page, next) = TopicPages.Cut(topics.Keys, name => topics[name], cursor, limit);
                var partitions = page.SelectMany(s => Enumerable.Range(s.FirstPartition, s.EndPartition - s.FirstPartition), (s, i) => (s.Topic, i));
                shown.AddRange(partitions);
                Assert.True(page.Sum(slice => slice.EndPartition - slice.FirstPartition) <= limit);
                Assert.True(next is null || page.Count > 0, "an empty page before the end would never end");
                cursor = next;
            }
            while (cursor is not null);

            var all = topics.OrderBy(topic => topic.Key, StringComparer.Ordinal)
                .SelectMany(topic => Enumerable.Range(0, topic.Value), (topic, i) => (topic.Key, i));
            Assert.Equal(all, shown);
        }
    }

    private static int? Count(string name) => s_topics.TryGetValue(name, out var count) ? count : null;

    private static TopicSlice Slice(string topic, int first, int end) => new(topic, first, end, Exists: true);
}
