using Granary.Abstractions.Records;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.Cluster.Apis;

/// <summary>One method per request, so that a test says what it asks and in which version.</summary>
internal static class ApiCalls
{
    public static Task<MetadataResponse> MetadataAsync(this KafkaWire client, short version, MetadataRequest request) =>
        client.CallAsync(MetadataRequest.ApiKey, version, request.Write, MetadataRequest.IsFlexible, MetadataResponse.Read);

    public static Task<ListOffsetsResponse> ListOffsetsAsync(this KafkaWire client, short version, ListOffsetsRequest request) =>
        client.CallAsync(ListOffsetsRequest.ApiKey, version, request.Write, ListOffsetsRequest.IsFlexible, ListOffsetsResponse.Read);

    public static Task<OffsetForLeaderEpochResponse> OffsetForLeaderEpochAsync(
        this KafkaWire client,
        short version,
        OffsetForLeaderEpochRequest request) =>
        client.CallAsync(
            OffsetForLeaderEpochRequest.ApiKey,
            version,
            request.Write,
            OffsetForLeaderEpochRequest.IsFlexible,
            OffsetForLeaderEpochResponse.Read);

    public static Task<InitProducerIdResponse> InitProducerIdAsync(this KafkaWire client, short version, InitProducerIdRequest request) =>
        client.CallAsync(InitProducerIdRequest.ApiKey, version, request.Write, InitProducerIdRequest.IsFlexible, InitProducerIdResponse.Read);

    public static Task<CreateTopicsResponse> CreateTopicsAsync(this KafkaWire client, short version, CreateTopicsRequest request) =>
        client.CallAsync(CreateTopicsRequest.ApiKey, version, request.Write, CreateTopicsRequest.IsFlexible, CreateTopicsResponse.Read);

    public static Task<DeleteTopicsResponse> DeleteTopicsAsync(this KafkaWire client, short version, DeleteTopicsRequest request) =>
        client.CallAsync(DeleteTopicsRequest.ApiKey, version, request.Write, DeleteTopicsRequest.IsFlexible, DeleteTopicsResponse.Read);

    public static Task<CreatePartitionsResponse> CreatePartitionsAsync(
        this KafkaWire client,
        short version,
        CreatePartitionsRequest request) =>
        client.CallAsync(
            CreatePartitionsRequest.ApiKey,
            version,
            request.Write,
            CreatePartitionsRequest.IsFlexible,
            CreatePartitionsResponse.Read);

    public static Task<DeleteRecordsResponse> DeleteRecordsAsync(this KafkaWire client, short version, DeleteRecordsRequest request) =>
        client.CallAsync(DeleteRecordsRequest.ApiKey, version, request.Write, DeleteRecordsRequest.IsFlexible, DeleteRecordsResponse.Read);

    public static Task<DescribeConfigsResponse> DescribeConfigsAsync(this KafkaWire client, short version, DescribeConfigsRequest request) =>
        client.CallAsync(
            DescribeConfigsRequest.ApiKey,
            version,
            request.Write,
            DescribeConfigsRequest.IsFlexible,
            DescribeConfigsResponse.Read);

    public static Task<AlterConfigsResponse> AlterConfigsAsync(this KafkaWire client, short version, AlterConfigsRequest request) =>
        client.CallAsync(AlterConfigsRequest.ApiKey, version, request.Write, AlterConfigsRequest.IsFlexible, AlterConfigsResponse.Read);

    public static Task<IncrementalAlterConfigsResponse> IncrementalAlterConfigsAsync(
        this KafkaWire client,
        short version,
        IncrementalAlterConfigsRequest request) =>
        client.CallAsync(
            IncrementalAlterConfigsRequest.ApiKey,
            version,
            request.Write,
            IncrementalAlterConfigsRequest.IsFlexible,
            IncrementalAlterConfigsResponse.Read);

    public static Task<DescribeClusterResponse> DescribeClusterAsync(this KafkaWire client, short version, DescribeClusterRequest request) =>
        client.CallAsync(
            DescribeClusterRequest.ApiKey,
            version,
            request.Write,
            DescribeClusterRequest.IsFlexible,
            DescribeClusterResponse.Read);

    public static Task<DescribeTopicPartitionsResponse> DescribeTopicPartitionsAsync(
        this KafkaWire client,
        DescribeTopicPartitionsRequest request) =>
        client.CallAsync(
            DescribeTopicPartitionsRequest.ApiKey,
            version: 0,
            request.Write,
            DescribeTopicPartitionsRequest.IsFlexible,
            DescribeTopicPartitionsResponse.Read);

    public static Task<FindCoordinatorResponse> FindCoordinatorAsync(this KafkaWire client, short version, FindCoordinatorRequest request) =>
        client.CallAsync(
            FindCoordinatorRequest.ApiKey,
            version,
            request.Write,
            FindCoordinatorRequest.IsFlexible,
            FindCoordinatorResponse.Read);

    /// <summary>Commits a position for a group without members; its error code.</summary>
    public static async Task<short> CommitAsync(this KafkaWire client, string group, string topic, int partition, long offset)
    {
        var request = new OffsetCommitRequest { GroupId = group, GenerationIdOrMemberEpoch = -1, MemberId = "" };
        request.Topics.Add(new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedMetadata = "" }] });
        var answer = await client.CallAsync(OffsetCommitRequest.ApiKey, 8, request.Write, OffsetCommitRequest.IsFlexible, OffsetCommitResponse.Read);
        return answer.Topics[0].Partitions[0].ErrorCode;
    }

    /// <summary>Where a group is in a partition (-1: nowhere), or the error code that it is not told for.</summary>
    public static async Task<(short Error, long Offset)> CommittedAsync(this KafkaWire client, string group, string topic, int partition)
    {
        var request = new OffsetFetchRequest();
        request.Groups.Add(new() { GroupId = group, Topics = [new() { Name = topic, PartitionIndexes = [partition] }] });
        var answer = await client.CallAsync(OffsetFetchRequest.ApiKey, 8, request.Write, OffsetFetchRequest.IsFlexible, OffsetFetchResponse.Read);
        var found = answer.Groups[0];
        return found.ErrorCode != 0 ? (found.ErrorCode, -1) : (found.Topics[0].Partitions[0].ErrorCode, found.Topics[0].Partitions[0].CommittedOffset);
    }

    /// <summary>A topic of its own for a test; its name.</summary>
    public static async Task<string> NewTopicAsync(this KafkaWire client, int partitions = 1, params (string Name, string Value)[] configs)
    {
        var name = $"t-{Guid.NewGuid():N}";
        var request = new CreateTopicsRequest { TimeoutMs = 30_000 };
        request.Topics.Add(new()
        {
            Name = name,
            NumPartitions = partitions,
            ReplicationFactor = -1,
            Configs = [.. configs.Select(config => new CreateTopicsRequest.CreatableTopicConfig { Name = config.Name, Value = config.Value })],
        });
        var created = Assert.Single((await client.CreateTopicsAsync(7, request)).Topics);
        Assert.True(created.ErrorCode == 0, $"{name} was not created: {created.ErrorCode} {created.ErrorMessage}");
        return name;
    }

    /// <summary>Appends one batch; its records' times are <paramref name="firstTime"/>, one more each.</summary>
    public static async Task ProduceAsync(this KafkaWire client, string topic, int partition, int count, long firstTime = 1_700_000_000_000)
    {
        var batch = new RecordBatchWriter();
        for (var i = 0; i < count; i++)
            batch.Append(firstTime + i, key: null, value: new byte[] { (byte)i });
        var request = new ProduceRequest { Acks = -1, TimeoutMs = 30_000 };
        request.TopicData.Add(new()
        {
            Name = topic,
            PartitionData = [new() { Index = partition, Records = new RecordBytes(batch.Build()) }],
        });
        var response = await client.ProduceAsync(request, version: 9, TestContext.Current.CancellationToken);
        var answer = response.Responses[0].PartitionResponses[0];
        Assert.True(answer.ErrorCode == 0, $"{topic}-{partition} took no records: {answer.ErrorCode} {answer.ErrorMessage}");
    }

    private static async Task<TResponse> CallAsync<TResponse>(
        this KafkaWire client,
        short key,
        short version,
        Action<WireWriter, short> write,
        Func<short, bool> isFlexible,
        ReadMessage<TResponse> read)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var correlationId = await client.SendAsync(key, version, writer => write(writer, version), cancellation);
        return await client.ReceiveAsync(correlationId, isFlexible(version), read, version, cancellation);
    }
}
