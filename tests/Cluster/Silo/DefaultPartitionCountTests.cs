using Granary.Cluster.Apis;
using Granary.Cluster.Storage;
using Granary.Gateway.Kafka.Wire;
using Granary.Support;

namespace Granary.Cluster.Silo;

/// <summary>num.partitions is one setting, whoever asks for it.</summary>
public sealed class DefaultPartitionCountTests(PrivatePostgres postgres)
{
    private const sbyte Broker = 4;

    [Fact]
    public async Task NumPartitions_AsSet_IsWhatTopicsGetAndWhatTheBrokerSays()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            ConnectionString = database.ConnectionString,
            Settings = new Dictionary<string, string> { ["Granary__Topics__NumPartitions"] = "3" },
        });
        await using var client = await silo.ConnectAsync();

        var asked = await client.NewTopicAsync(partitions: -1);
        await client.MetadataAsync(12, new MetadataRequest { AllowAutoTopicCreation = true, Topics = [new() { Name = "by-metadata" }] });

        var topics = await silo.TopicsAsync();
        Assert.Equal((3, 3), (topics[asked], topics["by-metadata"]));
        var metadata = await client.MetadataAsync(12, new MetadataRequest { Topics = [] });
        var described = await client.DescribeConfigsAsync(4, new DescribeConfigsRequest
        {
            Resources = [new() { ResourceType = Broker, ResourceName = $"{metadata.ControllerId}", ConfigurationKeys = ["num.partitions"] }],
        });
        Assert.Equal("3", described.Results.Single().Configs.Single().Value);
    }
}
