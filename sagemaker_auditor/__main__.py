from sagemaker_auditor import main

main()
