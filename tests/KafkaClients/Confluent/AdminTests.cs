using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Granary.KafkaClients.Confluent;

/// <summary>Topics, their configs and their offsets as Confluent.Kafka's AdminClient sees them, with the refusals it tells.</summary>
public sealed class AdminTests(BrokerFixture broker)
{
    [Fact]
    public async Task CreateTopics_ThenDescribe_TellsPartitionsAndLeader()
    {
        using var admin = Admin();
        var name = NewName();

        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = 3, ReplicationFactor = 1 }]);

        var topic = Assert.Single(admin.GetMetadata(name, TimeSpan.FromSeconds(10)).Topics);
        Assert.Equal([0, 1, 2], topic.Partitions.Select(partition => partition.PartitionId).Order());
        Assert.All(topic.Partitions, partition => Assert.Equal([partition.Leader], partition.Replicas));
        var described = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([name]));
        Assert.Equal(3, Assert.Single(described.TopicDescriptions).Partitions.Count);
    }

    [Fact]
    public async Task CreateTopics_WithDefaults_TakesTheClustersPartitionCount()
    {
        using var admin = Admin();
        var name = NewName();

        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = -1, ReplicationFactor = -1 }]);

        Assert.NotEmpty(Assert.Single(admin.GetMetadata(name, TimeSpan.FromSeconds(10)).Topics).Partitions);
    }

    [Fact]
    public async Task CreateTopics_WithValidateOnly_CreatesNothing()
    {
        using var admin = Admin();
        var name = NewName();

        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = 3 }], new CreateTopicsOptions { ValidateOnly = true });

        var failure = await Assert.ThrowsAsync<DeleteTopicsException>(() => admin.DeleteTopicsAsync([name]));
        Assert.Equal(ErrorCode.UnknownTopicOrPart, Assert.Single(failure.Results).Error.Code);
    }

    [Fact]
    public async Task CreateTopics_ThatCannotBe_TellsEachReason()
    {
        using var admin = Admin();
        var existing = await Topics.CreateAsync(broker.Bootstrap);
        var fine = NewName();

        var failure = await Assert.ThrowsAsync<CreateTopicsException>(() => admin.CreateTopicsAsync(
        [
            new TopicSpecification { Name = existing, NumPartitions = 1 },
            new TopicSpecification { Name = "no spaces please", NumPartitions = 1 },
            new TopicSpecification { Name = NewName(), NumPartitions = 0 },
            new TopicSpecification { Name = NewName(), NumPartitions = 1, Configs = new() { ["retention.ms"] = "soon" } },
            new TopicSpecification { Name = NewName(), NumPartitions = 1, Configs = new() { ["no.such.config"] = "1" } },
            new TopicSpecification { Name = NewName(), NumPartitions = 1, Configs = new() { ["cleanup.policy"] = "compact" } },
            new TopicSpecification { Name = fine, NumPartitions = 1 },
        ]));

        Assert.Equal(
            [
                ErrorCode.TopicAlreadyExists,
                ErrorCode.TopicException,
                ErrorCode.InvalidPartitions,
                ErrorCode.InvalidConfig,
                ErrorCode.InvalidConfig,
                ErrorCode.InvalidConfig,
                ErrorCode.NoError,
            ],
            failure.Results.Select(result => result.Error.Code));
        Assert.Contains("soon", failure.Results[3].Error.Reason);
        Assert.Single(admin.GetMetadata(fine, TimeSpan.FromSeconds(10)).Topics[0].Partitions);
    }

    [Fact]
    public async Task DeleteTopics_ThenCreateAgain_StartsAnEmptyLog()
    {
        using var admin = Admin();
        var name = await Topics.CreateAsync(broker.Bootstrap);
        await ProduceAsync(name, 5);

        await admin.DeleteTopicsAsync([name]);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = 1 }]);

        Assert.Equal(0, await OffsetAsync(admin, name, OffsetSpec.Latest()));
    }

    [Fact]
    public async Task CreatePartitions_GrowsTheTopicOnly()
    {
        using var admin = Admin();
        var name = await Topics.CreateAsync(broker.Bootstrap, partitions: 2);

        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = name, IncreaseTo = 5 }]);
        Assert.Equal(5, admin.GetMetadata(name, TimeSpan.FromSeconds(10)).Topics[0].Partitions.Count);

        var failure = await Assert.ThrowsAsync<CreatePartitionsException>(() => admin.CreatePartitionsAsync(
        [
            new PartitionsSpecification { Topic = name, IncreaseTo = 4 },
            new PartitionsSpecification { Topic = NewName(), IncreaseTo = 4 },
        ]));
        Assert.Equal(
            [ErrorCode.InvalidPartitions, ErrorCode.UnknownTopicOrPart],
            failure.Results.Select(result => result.Error.Code));
    }

    [Fact]
    public async Task Configs_SetAndDeleted_AreToldWithTheirSources()
    {
        using var admin = Admin();
        var name = await Topics.CreateAsync(broker.Bootstrap, configs: new() { ["retention.ms"] = "60000" });
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = name };

        var before = (await admin.DescribeConfigsAsync([resource])).Single().Entries;
        Assert.Equal("60000", before["retention.ms"].Value);
        Assert.Equal(ConfigSource.DynamicTopicConfig, before["retention.ms"].Source);
        Assert.Equal("delete", before["cleanup.policy"].Value);
        Assert.Equal(ConfigSource.DefaultConfig, before["cleanup.policy"].Source);
        Assert.True(before["cleanup.policy"].IsDefault);

        await admin.IncrementalAlterConfigsAsync(new()
        {
            [resource] =
            [
                new ConfigEntry { Name = "retention.ms", IncrementalOperation = AlterConfigOpType.Delete },
                new ConfigEntry { Name = "max.message.bytes", Value = "5000", IncrementalOperation = AlterConfigOpType.Set },
            ],
        });
        var after = (await admin.DescribeConfigsAsync([resource])).Single().Entries;
        Assert.Equal("604800000", after["retention.ms"].Value);
        Assert.Equal("5000", after["max.message.bytes"].Value);

        await admin.AlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "segment.bytes", Value = "1048576" }] });
        var replaced = (await admin.DescribeConfigsAsync([resource])).Single().Entries;
        Assert.Equal("1048576", replaced["segment.bytes"].Value);
        Assert.Equal(ConfigSource.DefaultConfig, replaced["max.message.bytes"].Source);
    }

    [Fact]
    public async Task Configs_ThatCannotBe_AreRefusedAndNothingChanges()
    {
        using var admin = Admin();
        var name = await Topics.CreateAsync(broker.Bootstrap);
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = name };

        var failure = await Assert.ThrowsAsync<IncrementalAlterConfigsException>(() => admin.IncrementalAlterConfigsAsync(new()
        {
            [resource] = [new ConfigEntry { Name = "max.message.bytes", Value = "-7", IncrementalOperation = AlterConfigOpType.Set }],
        }));
        Assert.Equal(ErrorCode.InvalidConfig, Assert.Single(failure.Results).Error.Code);
        Assert.True((await admin.DescribeConfigsAsync([resource])).Single().Entries["max.message.bytes"].IsDefault);

        var unknown = await Assert.ThrowsAsync<DescribeConfigsException>(() =>
            admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = NewName() }]));
        Assert.Equal(ErrorCode.UnknownTopicOrPart, Assert.Single(unknown.Results).Error.Code);
    }

    [Fact]
    public async Task BrokerConfigs_AreReadOnly()
    {
        using var admin = Admin();
        var cluster = await admin.DescribeClusterAsync();
        var self = new ConfigResource { Type = ResourceType.Broker, Name = $"{Assert.Single(cluster.Nodes).Id}" };

        var configs = (await admin.DescribeConfigsAsync([self])).Single().Entries;

        Assert.True(configs["num.partitions"].IsReadOnly);
        Assert.Equal("true", configs["auto.create.topics.enable"].Value);
        var failure = await Assert.ThrowsAsync<AlterConfigsException>(() =>
            admin.AlterConfigsAsync(new() { [self] = [new ConfigEntry { Name = "num.partitions", Value = "9" }] }));
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Single(failure.Results).Error.Code);
    }

    [Fact]
    public async Task DeleteRecords_MovesTheEarliestOffset()
    {
        using var admin = Admin();
        var name = await Topics.CreateAsync(broker.Bootstrap);
        await ProduceAsync(name, 10);

        var deleted = await admin.DeleteRecordsAsync([new TopicPartitionOffset(name, 0, 4)]);

        Assert.Equal(4, Assert.Single(deleted).Offset.Value);
        Assert.Equal(4, await OffsetAsync(admin, name, OffsetSpec.Earliest()));
        Assert.Equal(10, await OffsetAsync(admin, name, OffsetSpec.Latest()));
        Assert.Equal([4, 5, 6, 7, 8, 9], Topics.ReadAll(broker.Bootstrap, new TopicPartition(name, 0), from: 4).Select(record => record.Offset.Value));

        var failure = await Assert.ThrowsAsync<DeleteRecordsException>(() => admin.DeleteRecordsAsync([new TopicPartitionOffset(name, 0, 11)]));
        Assert.Equal(ErrorCode.OffsetOutOfRange, Assert.Single(failure.Results).Error.Code);
        var all = await admin.DeleteRecordsAsync([new TopicPartitionOffset(name, 0, Offset.End)]);
        Assert.Equal(10, Assert.Single(all).Offset.Value);
    }

    [Fact]
    public async Task ListOffsets_ByEverySpec_FindsTheRecord()
    {
        using var admin = Admin();
        var name = await Topics.CreateAsync(broker.Bootstrap);
        await ProduceAsync(name, 10);

        Assert.Equal(0, await OffsetAsync(admin, name, OffsetSpec.Earliest()));
        Assert.Equal(10, await OffsetAsync(admin, name, OffsetSpec.Latest()));
        Assert.Equal(9, await OffsetAsync(admin, name, OffsetSpec.MaxTimestamp()));
        Assert.Equal(3, await OffsetAsync(admin, name, OffsetSpec.ForTimestamp(FirstTime + 3)));
        Assert.Equal(-1, await OffsetAsync(admin, name, OffsetSpec.ForTimestamp(FirstTime + 1_000)));
    }

    private const long FirstTime = 1_700_000_000_000;

    private static string NewName() => $"t-{Guid.NewGuid():N}";

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build();

    private async Task ProduceAsync(string topic, int count)
    {
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var i = 0; i < count; i++)
        {
            await producer.ProduceAsync(
                new TopicPartition(topic, 0),
                new Message<byte[]?, byte[]?> { Value = [(byte)i], Timestamp = new Timestamp(FirstTime + i, TimestampType.CreateTime) });
        }
    }

    private static async Task<long> OffsetAsync(IAdminClient admin, string topic, OffsetSpec spec)
    {
        var found = await admin.ListOffsetsAsync(
            [new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(topic, 0), OffsetSpec = spec }]);
        return Assert.Single(found.ResultInfos).TopicPartitionOffsetError.Offset.Value;
    }
}
