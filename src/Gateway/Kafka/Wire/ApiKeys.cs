namespace Granary.Gateway.Kafka.Wire;

/// <summary>What has to be known of a request before its body can be read.</summary>
internal static class ApiKeys
{
    /// <summary>Whether that version of that API has tagged fields in its headers; false for keys that are not known.</summary>
    public static bool IsFlexible(short apiKey, short version) => apiKey switch
    {
        ProduceRequest.ApiKey => ProduceRequest.IsFlexible(version),
        FetchRequest.ApiKey => FetchRequest.IsFlexible(version),
        ListOffsetsRequest.ApiKey => ListOffsetsRequest.IsFlexible(version),
        MetadataRequest.ApiKey => MetadataRequest.IsFlexible(version),
        FindCoordinatorRequest.ApiKey => FindCoordinatorRequest.IsFlexible(version),
        ApiVersionsRequest.ApiKey => ApiVersionsRequest.IsFlexible(version),
        CreateTopicsRequest.ApiKey => CreateTopicsRequest.IsFlexible(version),
        DeleteTopicsRequest.ApiKey => DeleteTopicsRequest.IsFlexible(version),
        DeleteRecordsRequest.ApiKey => DeleteRecordsRequest.IsFlexible(version),
        InitProducerIdRequest.ApiKey => InitProducerIdRequest.IsFlexible(version),
        OffsetForLeaderEpochRequest.ApiKey => OffsetForLeaderEpochRequest.IsFlexible(version),
        DescribeConfigsRequest.ApiKey => DescribeConfigsRequest.IsFlexible(version),
        AlterConfigsRequest.ApiKey => AlterConfigsRequest.IsFlexible(version),
        CreatePartitionsRequest.ApiKey => CreatePartitionsRequest.IsFlexible(version),
        IncrementalAlterConfigsRequest.ApiKey => IncrementalAlterConfigsRequest.IsFlexible(version),
        DescribeClusterRequest.ApiKey => DescribeClusterRequest.IsFlexible(version),
        DescribeTopicPartitionsRequest.ApiKey => DescribeTopicPartitionsRequest.IsFlexible(version),
        OffsetCommitRequest.ApiKey => OffsetCommitRequest.IsFlexible(version),
        OffsetFetchRequest.ApiKey => OffsetFetchRequest.IsFlexible(version),
        JoinGroupRequest.ApiKey => JoinGroupRequest.IsFlexible(version),
        SyncGroupRequest.ApiKey => SyncGroupRequest.IsFlexible(version),
        HeartbeatRequest.ApiKey => HeartbeatRequest.IsFlexible(version),
        LeaveGroupRequest.ApiKey => LeaveGroupRequest.IsFlexible(version),
        DescribeGroupsRequest.ApiKey => DescribeGroupsRequest.IsFlexible(version),
        ListGroupsRequest.ApiKey => ListGroupsRequest.IsFlexible(version),
        DeleteGroupsRequest.ApiKey => DeleteGroupsRequest.IsFlexible(version),
        OffsetDeleteRequest.ApiKey => OffsetDeleteRequest.IsFlexible(version),
        ConsumerGroupHeartbeatRequest.ApiKey => ConsumerGroupHeartbeatRequest.IsFlexible(version),
        ConsumerGroupDescribeRequest.ApiKey => ConsumerGroupDescribeRequest.IsFlexible(version),
        _ => false,
    };
}
