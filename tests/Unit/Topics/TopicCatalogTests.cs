using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Grains.Topics;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Topics;

public sealed class TopicCatalogTests
{
    private readonly TopicCatalog _catalog = new(new CatalogState(), new TopicOptions { NumPartitions = 3, MaxTopics = 3, MaxPartitions = 20, MaxPartitionsPerTopic = 10, RememberedDeletions = 2 });

    [Fact]
    public void Create_WithoutANumber_HasTheClustersNumberOfPartitions() => Assert.Equal(3, Create("t", -1).Topic!.PartitionCount);

    [Theory]
    [InlineData("", ErrorCode.InvalidTopicException)]
    [InlineData("a b", ErrorCode.InvalidTopicException)]
    [InlineData("here.is", ErrorCode.TopicAlreadyExists)]
    [InlineData("here_is", ErrorCode.InvalidTopicException)]
    public void Create_WithANameThatCannotBe_IsRefused(string name, ErrorCode error)
    {
        Create("here.is", 1);
        var version = _catalog.Version;
        var refused = Create(name, 1);
        Assert.Equal((error, (TopicDescription?)null), (refused.Error, refused.Topic));
        Assert.NotEmpty(refused.Message!);
        Assert.Equal(version, _catalog.Version);
    }

    [Theory]
    [InlineData(0, -1, ErrorCode.InvalidPartitions)]
    [InlineData(-2, -1, ErrorCode.InvalidPartitions)]
    [InlineData(11, -1, ErrorCode.InvalidPartitions)]
    [InlineData(int.MaxValue, -1, ErrorCode.InvalidPartitions)]
    [InlineData(1, 0, ErrorCode.InvalidReplicationFactor)]
    [InlineData(1, -2, ErrorCode.InvalidReplicationFactor)]
    [InlineData(10, 3, ErrorCode.None)]
    [InlineData(1, 1, ErrorCode.None)]
    public void Create_AtTheEdgesOfItsNumbers_IsTakenOrRefused(int partitions, short replicas, ErrorCode expected) =>
        Assert.Equal(expected, Create("t", partitions, replicas).Error);

    [Fact]
    public void Create_AtTheLimits_IsRefusedAndNamesThem()
    {
        Assert.Equal(ErrorCode.None, Create("a", 10).Error);
        Assert.Equal(ErrorCode.None, Create("b", 9).Error);
        var tooManyPartitions = Create("c", 2);
        Assert.Equal(ErrorCode.PolicyViolation, tooManyPartitions.Error);
        Assert.Contains("MaxPartitions", tooManyPartitions.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.None, Create("c", 1).Error);

        var tooManyTopics = Create("d", 1);

        Assert.Equal(ErrorCode.PolicyViolation, tooManyTopics.Error);
        Assert.Contains("MaxTopics", tooManyTopics.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.PolicyViolation, _catalog.CreatePartitions(new NewPartitions("c", 2), validateOnly: false).Error);
        _catalog.Delete(new TopicName("a"));
        Assert.Equal(ErrorCode.None, Create("d", 10).Error);
    }

    [Fact]
    public void Create_WithAWrongConfig_IsRefused()
    {
        Assert.Equal(ErrorCode.InvalidConfig, Create("t", 1, configs: ("no.such.config", "1")).Error);
        Assert.Equal(ErrorCode.InvalidConfig, Create("t", 1, configs: ("retention.ms", "soon")).Error);
        Assert.Equal(ErrorCode.InvalidConfig, Create("t", 1, configs: ("retention.ms", null)).Error);
        var compacted = Create("t", 1, configs: ("cleanup.policy", "compact"));
        Assert.Equal(ErrorCode.InvalidConfig, compacted.Error);
        Assert.Contains("compact is not supported", compacted.Message, StringComparison.Ordinal);
        Assert.Equal(0, _catalog.Count);
    }

    [Fact]
    public void Create_ToValidateOnly_ShowsWhatWouldBeAndChangesNothing()
    {
        var wouldBe = _catalog.Create(New("t", 2), Guid.NewGuid(), validateOnly: true);
        Assert.Equal((ErrorCode.None, 2), (wouldBe.Error, wouldBe.Topic!.PartitionCount));
        Assert.Equal((0L, 0), (_catalog.Version, _catalog.Count));
    }

    [Fact]
    public void Delete_ByNameOrId_RemembersTheLogsThatHaveToGo()
    {
        var byName = Create("a", 2).Topic!;
        var byId = Create("b", 3).Topic!;

        Assert.Equal(ErrorCode.None, _catalog.Delete(new TopicName("a")).Error);
        Assert.Equal("b", _catalog.Delete(new TopicName(null, byId.TopicId)).Topic!.Name);

        Assert.Equal(0, _catalog.Count);
        Assert.Equal([(byName.TopicId, 2), (byId.TopicId, 3)], _catalog.Deleting.Select(topic => (topic.Key, topic.Value)).OrderBy(topic => topic.Value));
        _catalog.ForgetDeleted(byName.TopicId);
        Assert.Equal([byId.TopicId], _catalog.ToState().Deleting.Select(topic => topic.TopicId));
    }

    [Fact]
    public void Delete_OfWhatIsNotThere_IsRefused()
    {
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, _catalog.Delete(new TopicName("t")).Error);
        Assert.Equal(ErrorCode.UnknownTopicId, _catalog.Delete(new TopicName(null, Guid.NewGuid())).Error);
        Assert.Equal(ErrorCode.UnknownTopicId, _catalog.Delete(new TopicName(null)).Error);
        Assert.Equal(0, _catalog.Version);
    }

    [Theory]
    [InlineData(4, ErrorCode.None)]
    [InlineData(10, ErrorCode.None)]
    [InlineData(3, ErrorCode.InvalidPartitions)]
    [InlineData(2, ErrorCode.InvalidPartitions)]
    [InlineData(int.MinValue, ErrorCode.InvalidPartitions)]
    [InlineData(11, ErrorCode.InvalidPartitions)]
    public void CreatePartitions_OfThree_OnlyGrowsWithinTheLimit(int wanted, ErrorCode expected)
    {
        Create("t", 3);
        Assert.Equal(expected, _catalog.CreatePartitions(new NewPartitions("t", wanted), validateOnly: false).Error);
        Assert.Equal(expected == ErrorCode.None ? wanted : 3, Assert.Single(_catalog.ToState().Topics).PartitionCount);
    }

    [Fact]
    public void Changes_OfAnUnknownTopic_AreRefused()
    {
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, _catalog.CreatePartitions(new NewPartitions("t", 2), validateOnly: false).Error);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, _catalog.AlterConfigs(new TopicConfigChanges("t", [], ReplaceAll: true), validateOnly: false).Error);
    }

    [Fact]
    public void ChangesSince_MoreDeletionsThanAreRemembered_IsTheWholeCatalog()
    {
        Create("kept", 1);
        var before = _catalog.Version;
        foreach (var name in new[] { "a", "b", "c" })
        {
            Create(name, 1);
            _catalog.Delete(new TopicName(name));
        }

        var behind = _catalog.ChangesSince(before);
        var near = _catalog.ChangesSince(_catalog.Version - 2);

        Assert.True(behind.IsComplete);
        Assert.Equal(["kept"], behind.Topics.Select(topic => topic.Name));
        Assert.Empty(behind.Deleted);
        Assert.False(near.IsComplete);
        Assert.Single(near.Deleted);
    }

    [Fact]
    public void ChangesSince_AVersionThatNeverWas_IsTheWholeCatalog()
    {
        Create("t", 1);
        Assert.True(_catalog.ChangesSince(_catalog.Version + 1).IsComplete);
        Assert.True(_catalog.ChangesSince(-1).IsComplete);
        Assert.True(_catalog.ChangesSince(0).IsComplete);
    }

    private TopicResult Create(string name, int partitions, short replicas = -1, params (string Name, string? Value)[] configs) =>
        _catalog.Create(New(name, partitions, replicas, configs), Guid.NewGuid(), validateOnly: false);

    private static NewTopic New(string name, int partitions, short replicas = -1, params (string Name, string? Value)[] configs) =>
        new(name, partitions, configs.ToImmutableDictionary(config => config.Name, config => config.Value), replicas);
}
