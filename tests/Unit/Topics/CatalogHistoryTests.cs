using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Grains.Topics;
using Granary.Unit.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Topics;

/// <summary>The catalog under random changes, beside a naive one, with followers that hear of them late, and restarts from what was saved.</summary>
public sealed class CatalogHistoryTests
{
    private const int MaxPartitions = 30;

    private static readonly string[] s_names = ["a", "b", "a.b", "a_b", "c", "..", "d"];

    [Fact]
    public void RandomChanges_LeaveCatalogFollowersAndSavedStateAlike() => Seeds.Run(300, random =>
    {
        var options = new TopicOptions { MaxTopics = 4, MaxPartitions = MaxPartitions, MaxPartitionsPerTopic = 12, RememberedDeletions = random.Next(1, 4) };
        var catalog = new TopicCatalog(new CatalogState(), options);
        var naive = new Dictionary<string, TopicDescription>();
        var followers = Enumerable.Range(0, 3).Select(_ => new Follower()).ToArray();
        for (var step = 0; step < 60; step++)
        {
            var before = catalog.Version;
            var result = Change(catalog, random, naive, out var isChange);

            // A change is the next version, and says it; a refusal or a question changes nothing.
            Assert.Equal(isChange ? before + 1 : before, catalog.Version);
            Assert.Equal(result.Error == ErrorCode.None, result.Topic is not null);
            Assert.Equal(result.Error == ErrorCode.None, result.Message is null);
            AssertSame(naive.Values, catalog.ToState().Topics);
            Assert.InRange(naive.Values.Sum(topic => topic.PartitionCount), 0, MaxPartitions);
            Assert.InRange(catalog.Count, 0, 4);
            if (random.Next(10) == 0)
                catalog = new TopicCatalog(catalog.ToState(), options);
            var follower = followers[random.Next(followers.Length)];
            follower.Hear(catalog.ChangesSince(follower.Version));
            Assert.Equal(catalog.Version, follower.Version);
            AssertSame(naive.Values, follower.Topics.Values);
        }
    });

    private static TopicResult Change(TopicCatalog catalog, Random random, Dictionary<string, TopicDescription> naive, out bool isChange)
    {
        var name = s_names[random.Next(s_names.Length)];
        var validateOnly = random.Next(5) == 0;
        TopicResult result;
        switch (random.Next(4))
        {
            case 0:
                result = catalog.Create(new NewTopic(name, random.Next(-1, 14), ImmutableDictionary<string, string?>.Empty), Guid.NewGuid(), validateOnly);
                Assert.False(result.Error == ErrorCode.None && naive.Keys.Any(other => other.Replace('.', '_') == name.Replace('.', '_')));
                break;
            case 1:
                result = catalog.Delete(random.Next(2) == 0 || !naive.TryGetValue(name, out var doomed) ? new TopicName(name) : new TopicName(null, doomed.TopicId));
                isChange = naive.Remove(name);
                Assert.Equal(isChange, result.Error == ErrorCode.None);
                if (isChange)
                    Assert.Equal(result.Topic!.PartitionCount, catalog.Deleting[result.Topic.TopicId]);
                return result;
            case 2:
                var wanted = random.Next(14);
                result = catalog.CreatePartitions(new NewPartitions(name, wanted), validateOnly);
                Assert.False(result.Error == ErrorCode.None && wanted <= naive[name].PartitionCount);
                break;
            default:
                var change = new ConfigChange("retention.ms", (ConfigOperation)random.Next(3), $"{random.Next(-2, 3)}");
                result = catalog.AlterConfigs(new TopicConfigChanges(name, [change], random.Next(2) == 0), validateOnly);
                break;
        }

        isChange = result.Error == ErrorCode.None && !validateOnly;
        if (isChange)
            naive[name] = result.Topic!;
        return result;
    }

    private static void AssertSame(IEnumerable<TopicDescription> expected, IEnumerable<TopicDescription> actual) =>
        Assert.Equal(expected.OrderBy(topic => topic.Name, StringComparer.Ordinal), actual.OrderBy(topic => topic.Name, StringComparer.Ordinal));

    /// <summary>Keeps a copy as <see cref="CatalogChanges"/> says.</summary>
    private sealed class Follower
    {
        public long Version { get; private set; }

        public Dictionary<Guid, TopicDescription> Topics { get; private set; } = [];

        public void Hear(CatalogChanges changes)
        {
            if (changes.IsComplete)
                Topics = [];
            foreach (var topicId in changes.Deleted)
                Topics.Remove(topicId);
            foreach (var topic in changes.Topics)
                Topics[topic.TopicId] = topic;
            Version = changes.Version;
        }
    }
}
