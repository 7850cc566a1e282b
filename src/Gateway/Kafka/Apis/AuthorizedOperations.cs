namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// What a client may do, as the bit fields of KIP-430: bit n stands for Kafka's AclOperation n. There is no authorizer, so everyone may
/// do everything that applies to the resource, which is also what Kafka answers without one.
/// </summary>
internal static class AuthorizedOperations
{
    /// <summary>The answer where the client did not ask.</summary>
    public const int NotAsked = int.MinValue;

    private const int Read = 1 << 3;
    private const int Write = 1 << 4;
    private const int Create = 1 << 5;
    private const int Delete = 1 << 6;
    private const int Alter = 1 << 7;
    private const int Describe = 1 << 8;
    private const int ClusterAction = 1 << 9;
    private const int DescribeConfigs = 1 << 10;
    private const int AlterConfigs = 1 << 11;
    private const int IdempotentWrite = 1 << 12;

    private const int AllOnTopic = Read | Write | Create | Delete | Alter | Describe | DescribeConfigs | AlterConfigs;
    private const int AllOnGroup = Read | Delete | Describe | DescribeConfigs | AlterConfigs;
    private const int AllOnCluster = Create | Alter | Describe | ClusterAction | DescribeConfigs | AlterConfigs | IdempotentWrite;

    public static int OnTopic(bool asked) => asked ? AllOnTopic : NotAsked;

    public static int OnGroup(bool asked) => asked ? AllOnGroup : NotAsked;

    public static int OnCluster(bool asked) => asked ? AllOnCluster : NotAsked;
}
