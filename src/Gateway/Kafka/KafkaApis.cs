using Granary.Gateway.Kafka.Apis;
using Granary.Gateway.Kafka.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Gateway.Kafka;

/// <summary>The map of the protocol as it is served: every request that is taken, its versions, and its handler.</summary>
internal static class KafkaApis
{
    public static ApiTable Map(IServiceProvider services)
    {
        T Handler<T>() where T : notnull => services.GetRequiredService<T>();
        var table = new ApiTable();
        AddGroups(table, services);
        return table
            .Add(Row(ProduceRequest.ApiKey, "produce", ProduceApi.LowestVersion, ProduceApi.HighestVersion,
                ProduceRequest.Read, static (it, writer, version) => it.Write(writer, version), ProduceRequest.IsFlexible, Handler<ProduceApi>().HandleAsync))
            .Add(Row(FetchRequest.ApiKey, "fetch", FetchApi.LowestVersion, FetchApi.HighestVersion,
                FetchRequest.Read, static (it, writer, version) => it.Write(writer, version), FetchRequest.IsFlexible, Handler<FetchApi>().HandleAsync))
            .Add(Row(ListOffsetsRequest.ApiKey, "list_offsets", ListOffsetsApi.LowestVersion, ListOffsetsApi.HighestVersion,
                ListOffsetsRequest.Read, static (it, writer, version) => it.Write(writer, version), ListOffsetsRequest.IsFlexible, Handler<ListOffsetsApi>().HandleAsync))
            .Add(Row(MetadataRequest.ApiKey, "metadata", MetadataApi.LowestVersion, MetadataApi.HighestVersion,
                MetadataRequest.Read, static (it, writer, version) => it.Write(writer, version), MetadataRequest.IsFlexible, Handler<MetadataApi>().HandleAsync))
            .Add(Row(FindCoordinatorRequest.ApiKey, "find_coordinator", FindCoordinatorApi.LowestVersion, FindCoordinatorApi.HighestVersion,
                FindCoordinatorRequest.Read, static (it, writer, version) => it.Write(writer, version), FindCoordinatorRequest.IsFlexible, Handler<FindCoordinatorApi>().HandleAsync))
            .Add(Row(ApiVersionsRequest.ApiKey, "api_versions", ApiVersionsApi.LowestVersion, ApiVersionsApi.HighestVersion,
                ApiVersionsRequest.Read, static (it, writer, version) => it.Write(writer, version), static _ => false, new ApiVersionsApi(table).HandleAsync))
            .Add(Row(CreateTopicsRequest.ApiKey, "create_topics", CreateTopicsApi.LowestVersion, CreateTopicsApi.HighestVersion,
                CreateTopicsRequest.Read, static (it, writer, version) => it.Write(writer, version), CreateTopicsRequest.IsFlexible, Handler<CreateTopicsApi>().HandleAsync))
            .Add(Row(DeleteTopicsRequest.ApiKey, "delete_topics", DeleteTopicsApi.LowestVersion, DeleteTopicsApi.HighestVersion,
                DeleteTopicsRequest.Read, static (it, writer, version) => it.Write(writer, version), DeleteTopicsRequest.IsFlexible, Handler<DeleteTopicsApi>().HandleAsync))
            .Add(Row(DeleteRecordsRequest.ApiKey, "delete_records", DeleteRecordsApi.LowestVersion, DeleteRecordsApi.HighestVersion,
                DeleteRecordsRequest.Read, static (it, writer, version) => it.Write(writer, version), DeleteRecordsRequest.IsFlexible, Handler<DeleteRecordsApi>().HandleAsync))
            .Add(Row(InitProducerIdRequest.ApiKey, "init_producer_id", InitProducerIdApi.LowestVersion, InitProducerIdApi.HighestVersion,
                InitProducerIdRequest.Read, static (it, writer, version) => it.Write(writer, version), InitProducerIdRequest.IsFlexible, Handler<InitProducerIdApi>().HandleAsync))
            .Add(Row(OffsetForLeaderEpochRequest.ApiKey, "offset_for_leader_epoch", OffsetForLeaderEpochApi.LowestVersion, OffsetForLeaderEpochApi.HighestVersion,
                OffsetForLeaderEpochRequest.Read, static (it, writer, version) => it.Write(writer, version), OffsetForLeaderEpochRequest.IsFlexible, Handler<OffsetForLeaderEpochApi>().HandleAsync))
            .Add(Row(DescribeConfigsRequest.ApiKey, "describe_configs", DescribeConfigsApi.LowestVersion, DescribeConfigsApi.HighestVersion,
                DescribeConfigsRequest.Read, static (it, writer, version) => it.Write(writer, version), DescribeConfigsRequest.IsFlexible, Handler<DescribeConfigsApi>().HandleAsync))
            .Add(Row(AlterConfigsRequest.ApiKey, "alter_configs", AlterConfigsApi.LowestVersion, AlterConfigsApi.HighestVersion,
                AlterConfigsRequest.Read, static (it, writer, version) => it.Write(writer, version), AlterConfigsRequest.IsFlexible, Handler<AlterConfigsApi>().HandleAsync))
            .Add(Row(CreatePartitionsRequest.ApiKey, "create_partitions", CreatePartitionsApi.LowestVersion, CreatePartitionsApi.HighestVersion,
                CreatePartitionsRequest.Read, static (it, writer, version) => it.Write(writer, version), CreatePartitionsRequest.IsFlexible, Handler<CreatePartitionsApi>().HandleAsync))
            .Add(Row(IncrementalAlterConfigsRequest.ApiKey, "incremental_alter_configs", IncrementalAlterConfigsApi.LowestVersion, IncrementalAlterConfigsApi.HighestVersion,
                IncrementalAlterConfigsRequest.Read, static (it, writer, version) => it.Write(writer, version), IncrementalAlterConfigsRequest.IsFlexible, Handler<IncrementalAlterConfigsApi>().HandleAsync))
            .Add(Row(DescribeClusterRequest.ApiKey, "describe_cluster", DescribeClusterApi.LowestVersion, DescribeClusterApi.HighestVersion,
                DescribeClusterRequest.Read, static (it, writer, version) => it.Write(writer, version), DescribeClusterRequest.IsFlexible, Handler<DescribeClusterApi>().HandleAsync))
            .Add(Row(DescribeTopicPartitionsRequest.ApiKey, "describe_topic_partitions", DescribeTopicPartitionsApi.LowestVersion, DescribeTopicPartitionsApi.HighestVersion,
                DescribeTopicPartitionsRequest.Read, static (it, writer, version) => it.Write(writer, version), DescribeTopicPartitionsRequest.IsFlexible, Handler<DescribeTopicPartitionsApi>().HandleAsync));
    }

    /// <summary>Groups and their positions.</summary>
    private static void AddGroups(ApiTable table, IServiceProvider services)
    {
        T Handler<T>() where T : notnull => services.GetRequiredService<T>();
        table
            .Add(Row(JoinGroupRequest.ApiKey, "join_group", JoinGroupApi.LowestVersion, JoinGroupApi.HighestVersion,
                JoinGroupRequest.Read, static (it, writer, version) => it.Write(writer, version), JoinGroupRequest.IsFlexible, Handler<JoinGroupApi>().HandleAsync))
            .Add(Row(SyncGroupRequest.ApiKey, "sync_group", SyncGroupApi.LowestVersion, SyncGroupApi.HighestVersion,
                SyncGroupRequest.Read, static (it, writer, version) => it.Write(writer, version), SyncGroupRequest.IsFlexible, Handler<SyncGroupApi>().HandleAsync))
            .Add(Row(HeartbeatRequest.ApiKey, "heartbeat", HeartbeatApi.LowestVersion, HeartbeatApi.HighestVersion,
                HeartbeatRequest.Read, static (it, writer, version) => it.Write(writer, version), HeartbeatRequest.IsFlexible, Handler<HeartbeatApi>().HandleAsync))
            .Add(Row(LeaveGroupRequest.ApiKey, "leave_group", LeaveGroupApi.LowestVersion, LeaveGroupApi.HighestVersion,
                LeaveGroupRequest.Read, static (it, writer, version) => it.Write(writer, version), LeaveGroupRequest.IsFlexible, Handler<LeaveGroupApi>().HandleAsync))
            .Add(Row(OffsetCommitRequest.ApiKey, "offset_commit", OffsetCommitApi.LowestVersion, OffsetCommitApi.HighestVersion,
                OffsetCommitRequest.Read, static (it, writer, version) => it.Write(writer, version), OffsetCommitRequest.IsFlexible, Handler<OffsetCommitApi>().HandleAsync))
            .Add(Row(OffsetFetchRequest.ApiKey, "offset_fetch", OffsetFetchApi.LowestVersion, OffsetFetchApi.HighestVersion,
                OffsetFetchRequest.Read, static (it, writer, version) => it.Write(writer, version), OffsetFetchRequest.IsFlexible, Handler<OffsetFetchApi>().HandleAsync))
            .Add(Row(OffsetDeleteRequest.ApiKey, "offset_delete", OffsetDeleteApi.LowestVersion, OffsetDeleteApi.HighestVersion,
                OffsetDeleteRequest.Read, static (it, writer, version) => it.Write(writer, version), OffsetDeleteRequest.IsFlexible, Handler<OffsetDeleteApi>().HandleAsync))
            .Add(Row(DescribeGroupsRequest.ApiKey, "describe_groups", DescribeGroupsApi.LowestVersion, DescribeGroupsApi.HighestVersion,
                DescribeGroupsRequest.Read, static (it, writer, version) => it.Write(writer, version), DescribeGroupsRequest.IsFlexible, Handler<DescribeGroupsApi>().HandleAsync))
            .Add(Row(ListGroupsRequest.ApiKey, "list_groups", ListGroupsApi.LowestVersion, ListGroupsApi.HighestVersion,
                ListGroupsRequest.Read, static (it, writer, version) => it.Write(writer, version), ListGroupsRequest.IsFlexible, Handler<ListGroupsApi>().HandleAsync))
            .Add(Row(DeleteGroupsRequest.ApiKey, "delete_groups", DeleteGroupsApi.LowestVersion, DeleteGroupsApi.HighestVersion,
                DeleteGroupsRequest.Read, static (it, writer, version) => it.Write(writer, version), DeleteGroupsRequest.IsFlexible, Handler<DeleteGroupsApi>().HandleAsync))
            .Add(Row(ConsumerGroupHeartbeatRequest.ApiKey, "consumer_group_heartbeat", ConsumerGroupHeartbeatApi.LowestVersion, ConsumerGroupHeartbeatApi.HighestVersion,
                ConsumerGroupHeartbeatRequest.Read, static (it, writer, version) => it.Write(writer, version), ConsumerGroupHeartbeatRequest.IsFlexible, Handler<ConsumerGroupHeartbeatApi>().HandleAsync))
            .Add(Row(ConsumerGroupDescribeRequest.ApiKey, "consumer_group_describe", ConsumerGroupDescribeApi.LowestVersion, ConsumerGroupDescribeApi.HighestVersion,
                ConsumerGroupDescribeRequest.Read, static (it, writer, version) => it.Write(writer, version), ConsumerGroupDescribeRequest.IsFlexible, Handler<ConsumerGroupDescribeApi>().HandleAsync));
    }

    /// <param name="hasFlexibleReplyHeader">The reply's header follows the request's version, but for ApiVersions: its readers do not know the version yet.</param>
    private static Api<TRequest, TResponse> Row<TRequest, TResponse>(
        short key,
        string name,
        short lowestVersion,
        short highestVersion,
        ReadMessage<TRequest> read,
        WriteMessage<TResponse> write,
        Func<short, bool> hasFlexibleReplyHeader,
        Func<RequestContext, TRequest, ValueTask<TResponse>> handle) =>
        new(key, name, lowestVersion, highestVersion)
        {
            Read = read,
            Write = write,
            HasFlexibleReplyHeader = hasFlexibleReplyHeader,
            Handle = handle,
        };
}
